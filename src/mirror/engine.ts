import type { Worker } from 'node:worker_threads'
import { SnaphavenError } from '../errors.ts'
import { type Io, runAsync } from '../files/io.ts'
import { keepHeapsSmall, letHeapsGrow } from './heaps.ts'
import { type JobArguments, type JobName, type JobResult, jobs } from './jobs.ts'
import { limitRate } from './limit-rate.ts'
import { SourceChanged } from './source-changed.ts'
import { takeThreads } from './worker-threads.ts'

/** Runs jobs in the way that suits the haven. */
export interface Engine {
	run: <N extends JobName>(name: N, ...args: JobArguments<N>) => Promise<JobResult<N>>
	/** How many slices are to be in flight, and how many files of each. */
	slices: number
	width: number
}

/** Threads that begin to start while the haven is still being opened. */
export interface Threads {
	/**
	 * The engine for a haven by its operation's time: synchronous calls in these threads, or asynchronous ones. Those too
	 * where no more than `limit` bytes a second are to be read of the node's files: a thread that sleeps does nothing else.
	 */
	engineFor: (haven: { base: string } | undefined, limit?: number) => Promise<Engine>
	/** The same for a haven that is only read: nothing is written to measure it. */
	engineForReading: (haven: { base: string }) => Promise<Engine>
	/** Runs a job in a thread, whatever the haven's engine is: for what touches the node's disks alone. */
	run: Engine['run']
	close: () => Promise<void>
}

/** Starts the threads; none keeps the process alive while it has nothing to do. */
export function startThreads(): Threads {
	const threads = takeThreads().map(talkTo)
	const engine = threadsEngine(threads)
	const loaded = Promise.all(threads.map(({ run }) => run('answer', [])))
	loaded.then(keepHeapsSmall, () => {})
	return {
		engineFor: async (haven, limit) => {
			limitRate(limit)
			if (limit !== undefined) return onMainThread
			return haven && (await engine.run('isSlow', haven.base)) ? manyCalls(threads) : engine
		},
		engineForReading: async ({ base }) => {
			await loaded
			// Nothing is held for long: small heaps would cost time for nothing.
			letHeapsGrow()
			return (await engine.run('isSlowToRead', base)) ? manyCalls(threads) : engine
		},
		run: engine.run,
		close: async () => {
			letHeapsGrow()
			await Promise.all(threads.map(({ close }) => close()))
		},
	}
}

/** Slices in flight, and files of each, where many calls are. */
const MANY = { slices: 32, width: 3 }

/**
 * Calls by libuv's thread pool (UV_THREADPOOL_SIZE, set to 64 by the entry module), spread over many snapshots' folders.
 * The threads share the work of making them, which takes more time than anything else here.
 */
function manyCalls(threads: Thread[]): Engine {
	return { run: (name, ...args) => leastBusy(threads).run(name, args, 'side by side') as Promise<never>, ...MANY }
}

/** The same without threads: what is read is counted in one place. */
const onMainThread: Engine = {
	run: (name, ...args) => runAsync(start(name, args)) as Promise<never>,
	...MANY,
}

/** Starts a job: what to do comes by name, so that it can cross into a thread. */
export function start(name: JobName, args: unknown[]): Io<unknown> {
	return (jobs[name] as (...args: unknown[]) => Io<unknown>)(...args)
}

/** Asks a thread to end. */
export const END = 'end'

/** What goes to a worker thread and what comes back. */
export interface Request {
	id: number
	name: JobName
	args: unknown[]
	how: 'one by one' | 'side by side'
}
export type Response = { id: number; value: unknown } | { id: number; error: PlainError }

/** An error as plain data: structured clone would drop all but its message. */
export interface PlainError {
	message: string
	code?: string
	known?: { exitCode: 1 | 2; hint?: string; ofHaven: boolean }
	/** It was a SourceChanged. */
	changed?: true
	stack?: string
}

function threadsEngine(threads: Thread[]): Engine {
	return {
		run: (name, ...args) => leastBusy(threads).run(name, args) as Promise<never>,
		// One more than threads, so that none waits for the main thread's next message.
		slices: threads.length + 1,
		width: 1,
	}
}

interface Thread {
	/** `side by side`: by asynchronous calls, while others are in flight. */
	run: (name: JobName, args: unknown[], how?: Request['how']) => Promise<unknown>
	pending: number
	close: () => Promise<void>
}

function leastBusy(threads: Thread[]): Thread {
	return threads.reduce((best, thread) => (thread.pending < best.pending ? thread : best))
}

function talkTo(worker: Worker): Thread {
	const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
	let next = 0
	let failed: Error | undefined
	// Until it has ended, it then keeps the process alive: the answer to a last job must not let go of it.
	let closing = false
	const thread: Thread = {
		pending: 0,
		run: (name, args, how = 'one by one') =>
			new Promise((resolve, reject) => {
				if (failed) {
					reject(failed)
					return
				}
				const id = next++
				waiting.set(id, { resolve, reject })
				thread.pending = waiting.size
				worker.ref()
				worker.postMessage({ id, name, args, how } satisfies Request)
			}),
		// One that may hang in a call is not asked.
		close: async () => {
			closing = true
			worker.ref()
			if (waiting.size > 0) await worker.terminate()
			else if (!failed) {
				worker.postMessage(END)
				await ended
			}
		},
	}
	const settle = (id: number) => {
		const call = waiting.get(id)
		waiting.delete(id)
		thread.pending = waiting.size
		if (waiting.size === 0 && !closing) worker.unref()
		return call
	}
	worker.on('message', (response: Response) => {
		const call = settle(response.id)
		if ('error' in response) call?.reject(revive(response.error))
		else call?.resolve(response.value)
	})
	worker.on('error', (error) => {
		failed = error
	})
	const ended = new Promise<void>((resolve) => {
		worker.once('exit', () => {
			failed ??= new Error('a worker thread has ended')
			for (const id of [...waiting.keys()]) settle(id)?.reject(failed)
			resolve()
		})
	})
	return thread
}

function revive({ message, code, known, changed, stack }: PlainError): Error {
	if (changed) return new SourceChanged(message)
	if (known) return new SnaphavenError(message, { ...known })
	return Object.assign(new Error(message), {
		...(code === undefined ? {} : { code }),
		...(stack === undefined ? {} : { stack }),
	})
}
