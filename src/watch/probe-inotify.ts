import { Worker } from 'node:worker_threads'

/**
 * Fails with EMFILE where no inotify instance can be had: the native watcher would block this thread for good. In a
 * thread of its own, since the event loop that asks keeps its instance for life, which may be the very last.
 */
export function probeInotify(path: string): Promise<void> {
	return new Promise((resolve, reject) => {
		let failed: Error | undefined
		const thread = new Worker(PROBE, { eval: true, workerData: path })
		thread.on('message', ({ code, message }: { code: string; message: string }) => {
			failed = Object.assign(new Error(message), { code })
		})
		thread.on('error', reject)
		// Only now is the instance given back.
		thread.on('exit', () => (failed ? reject(failed) : resolve()))
	})
}

const PROBE = `
	const { parentPort, workerData } = require('node:worker_threads')
	try {
		require('node:fs').watch(workerData, { persistent: false }).close()
	} catch ({ code, message }) {
		parentPort.postMessage({ code, message })
	}
`
