import type { Worker } from 'node:worker_threads'
import { SnaphavenError } from '../errors.ts'
import type { JobName } from './jobs.ts'
import { SourceChanged } from './source-changed.ts'

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

/** A worker thread that does jobs. */
export interface Thread {
	/** `side by side`: by asynchronous calls, while others are in flight. */
	run: (name: JobName, args: unknown[], how?: Request['how']) => Promise<unknown>
	/** How many jobs it was given and has not done yet. */
	pending: number
	/** Whether it has ended: each job fails at once then. */
	isOver: () => boolean
	/** Ends it, in the middle of a job too. */
	close: () => Promise<void>
}

/** Has a worker thread do jobs. It keeps the process alive while it has any. */
export function talkTo(worker: Worker): Thread {
	const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>()
	let next = 0
	let failed: Error | undefined
	// Until it has ended, it then keeps the process alive: the answer to a last job must not let go of it.
	let closing = false
	const thread: Thread = {
		pending: 0,
		isOver: () => failed !== undefined,
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
