import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { failure } from '../errors.ts'
import type { RunningService, ServiceStatus } from '../mirror/service-status.ts'
import { version } from '../version.ts'
import { openOrMakeState, type ServicePlace, serviceFiles, within } from './place.ts'
import { listenAt } from './socket-file.ts'

/** What can be asked of the service, and what it does and answers; each answer is plain data. */
interface Requests {
	status: () => ServiceStatus
	/** Look at everything anew, soon. */
	rescan: () => void
}

/** The service's ear, while it is open. */
interface Control {
	/** Hears no more; returns when the socket is gone. */
	close: () => Promise<void>
}

/**
 * Answers on a Unix socket in the state directory, by HTTP and JSON: `GET /status`, `POST /rescan`. Throws where another
 * service answers for that haven already, and where the state directory can't be written. Keeps no process alive.
 */
export async function serveControl({ stateDirectory, haven, ...requests }: ServicePlace & Requests): Promise<Control> {
	const state = await openOrMakeState(stateDirectory)
	const routes: Record<string, () => unknown> = {
		'GET /status': (): RunningService => ({ pid: process.pid, version, status: requests.status() }),
		'POST /rescan': () => {
			requests.rescan()
			return {}
		},
	}
	const server = createServer((request, response) => answer(routes, request, response))
	const close = async () => {
		if (server.listening) {
			const closed = new Promise((resolve) => server.once('close', resolve))
			server.close()
			server.closeAllConnections()
			await closed
		}
		await state.close()
	}
	try {
		const path = within(state, serviceFiles(haven).socket)
		const file = await listenAt(server, path)
		server.unref()
		if (file !== undefined) return { close: async () => await file.remove().finally(close) }
	} catch (error) {
		await close()
		throw failure(
			`the service's socket can't be made in ${stateDirectory} (${String((error as NodeJS.ErrnoException).code)})`,
			'Make that folder writable for the user that the service runs as, or name another one by --state-dir',
			error,
		)
	}
	await close()
	throw failure(
		`a service for the haven ${haven} runs already`,
		`It answers in ${stateDirectory}. See: snaphaven status -s ${haven}`,
	)
}

function answer(routes: Record<string, () => unknown>, request: IncomingMessage, response: ServerResponse): void {
	request.resume()
	const route = `${request.method} ${request.url}`
	const handler = Object.hasOwn(routes, route) ? routes[route] : undefined
	if (handler === undefined) {
		send(response, 404, { error: `there is no ${route}` })
		return
	}
	try {
		send(response, 200, handler())
	} catch (error) {
		// Whatever a question meets, the service goes on.
		send(response, 500, { error: String(error) })
	}
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
