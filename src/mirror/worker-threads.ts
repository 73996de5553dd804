import { Worker } from 'node:worker_threads'

const THREADS = 2

// Beside this file's folder in the sources, beside this code itself in the build.
const WORKER = import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.js'

let begun: Worker[] | undefined

/**
 * Begins to start the worker threads, which takes each 50 ms: to be called as soon as it is known that there will be
 * work, so that the main thread loads its own code meanwhile. None keeps the process alive.
 */
export function beginThreads(): void {
	begun ??= Array.from({ length: THREADS }, () => {
		const worker = new Worker(new URL(WORKER, import.meta.url))
		worker.unref()
		return worker
	})
}

/** Gives the threads that were begun, or else new ones, to the one who will use and end them. */
export function takeThreads(): Worker[] {
	beginThreads()
	const threads = begun ?? []
	begun = undefined
	return threads
}
