import { Worker } from 'node:worker_threads'
import { type Thread, talkTo } from './thread.ts'

// Beside this file's folder in the sources, beside this code itself in the build.
const WORKER = import.meta.url.endsWith('.ts') ? '../worker.ts' : './worker.js'

let begun: Thread | undefined

/**
 * Begins to start a worker thread, which takes 40 ms: to be called as soon as it is likely that there will be work, so
 * that the main thread loads its own code meanwhile. It does not keep the process alive. Where it fails, its jobs will.
 */
export function beginThread(): void {
	begun ??= startThread()
}

/** Gives the thread that was begun, or else a new one, to the one who will use and end it. */
export function takeThread(): Thread {
	const thread = begun ?? startThread()
	begun = undefined
	return thread
}

function startThread(): Thread {
	const worker = new Worker(new URL(WORKER, import.meta.url))
	const thread = talkTo(worker)
	// Last: who listens to it keeps the process alive.
	worker.unref()
	return thread
}
