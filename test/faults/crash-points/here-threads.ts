import { EventEmitter } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { runSync } from '../../../src/files/io.ts'
import { start } from '../../../src/mirror/engine.ts'
import { plain } from '../../../src/mirror/serve-jobs.ts'
import { END, type Request, type Thread, talkTo } from '../../../src/mirror/thread.ts'

/** In place of src/mirror/worker-threads.ts: jobs are done on the spot, in this thread, since a state is small and there are thousands. */
class Here extends EventEmitter {
	postMessage(request: Request | typeof END): void {
		if (request === END) setImmediate(() => this.emit('exit', 0))
		else {
			const { id, name, args } = request
			let response: object
			try {
				response = { id, value: runSync(start(name, args)) }
			} catch (error) {
				response = { id, error: plain(error) }
			}
			setImmediate(() => this.emit('message', response))
		}
	}

	ref(): void {}

	unref(): void {}

	async terminate(): Promise<number> {
		return 0
	}
}

export function beginThread(): void {}

export function takeThread(): Thread {
	return talkTo(new Here() as unknown as Worker)
}
