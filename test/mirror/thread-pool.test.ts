import { EventEmitter } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import test from 'ava'
import { END, type Request, type Thread, talkTo } from '../../src/mirror/thread.ts'
import { makeThreadPool, THREADS } from '../../src/mirror/thread-pool.ts'
import { takeThread } from '../../src/mirror/worker-threads.ts'

/** In place of a thread: it tells that it has loaded its code, and is then at its first job until it is let go on. */
class LongAtWork extends EventEmitter {
	readonly #kept: (() => void)[] = []
	#isHeld = false

	postMessage(request: Request | typeof END): void {
		if (request === END) setImmediate(() => this.emit('exit', 0))
		else {
			const answer = () => this.emit('message', { id: request.id, value: 'first' })
			if (this.#isHeld) this.#kept.push(answer)
			else setImmediate(answer)
			this.#isHeld = true
		}
	}

	goOn(): void {
		for (const answer of this.#kept) answer()
	}

	ref(): void {}

	unref(): void {}
}

test('jobs that come one after the other are done by one thread', async (t) => {
	let taken = 0
	const pool = makeThreadPool(() => {
		taken += 1
		return takeThread()
	})
	try {
		for (let i = 0; i < 50; i++) {
			await pool.run('answer', [])
			await pause(1)
		}
		t.is(taken, 1)
	} finally {
		await pool.close()
	}
})

test('while the first thread is long at work, jobs are done by others, and no more are started than there are to be', async (t) => {
	const first = new LongAtWork()
	let taken = 0
	const pool = makeThreadPool(() => {
		taken += 1
		return taken === 1 ? talkTo(first as unknown as Worker) : takeThread()
	})
	try {
		const answers = [pool.run('answer', [])]
		let byAnother = 0
		while (byAnother < 10) {
			answers.push(pool.run('answer', []))
			answers.at(-1)?.then((value) => {
				if (value !== ('first' as unknown)) byAnother += 1
			})
			await pause(5)
		}
		t.is(taken, THREADS)
		first.goOn()
		await Promise.all(answers)
	} finally {
		await pool.close()
	}
})

test('a thread that has died gets no jobs while another lives', async (t) => {
	const workers: Thread[] = []
	const pool = makeThreadPool(() => {
		const thread = takeThread()
		workers.push(thread)
		return thread
	})
	try {
		await pool.startAll()
		t.is(workers.length, THREADS)
		await workers[0]?.close()
		await Promise.all(Array.from({ length: 20 }, () => pool.run('answer', [])))
		await workers[1]?.close()
		await t.throwsAsync(pool.run('answer', []))
	} finally {
		await pool.close()
	}
})

test('a pool that is closed while its threads start ends at once, and what was asked of it fails', async (t) => {
	const pool = makeThreadPool()
	const ended = [t.throwsAsync(pool.run('answer', [])), t.throwsAsync(pool.startAll())]
	await pool.close()
	await Promise.all(ended)
	await t.throwsAsync(pool.run('answer', []))
})
