import { parentPort } from 'node:worker_threads'
import { SnaphavenError } from '../errors.ts'
import { codeOf, letWait, runAsync, runSync } from '../files/io.ts'
import { start } from './engine.ts'
import { SourceChanged } from './source-changed.ts'
import { END, type PlainError, type Request, type Response } from './thread.ts'

letWait()

/** What a worker thread does: jobs come as messages, and run one after the other by synchronous calls, or side by side. */
parentPort?.on('message', (request: Request | typeof END) => {
	if (request === END) return end()
	const { id, name, args, how } = request
	const answer = (response: Response) => parentPort?.postMessage(response)
	const fail = (error: unknown) => answer({ id, error: plain(error) })
	if (how === 'side by side') {
		runAsync(start(name, args)).then((value) => answer({ id, value }), fail)
		return
	}
	try {
		answer({ id, value: runSync(start(name, args)) })
	} catch (error) {
		fail(error)
	}
})

/** Keeps what was compiled for the next start, and ends the thread. */
function end(): void {
	process.getBuiltinModule('node:module').flushCompileCache()
	process.exit()
}

/** An error as it crosses into another thread. */
export function plain(error: unknown): PlainError {
	if (!(error instanceof Error)) return { message: String(error) }
	if (error instanceof SourceChanged) return { message: error.message, changed: true }
	const code = codeOf(error)
	return {
		message: error.message,
		...(code === undefined ? {} : { code }),
		...(error.stack === undefined ? {} : { stack: error.stack }),
		...(error instanceof SnaphavenError ? { known: knownOf(error) } : {}),
	}
}

function knownOf({ exitCode, hint, ofHaven }: SnaphavenError): NonNullable<PlainError['known']> {
	return { exitCode, ofHaven, ...(hint === undefined ? {} : { hint }) }
}
