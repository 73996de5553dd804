import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { failure, SnaphavenError } from '../errors.ts'
import type { RunningService, ServiceStatus } from '../mirror/service-status.ts'
import { version } from '../version.ts'
import type {
	AdoptAnswer,
	AdoptRequest,
	PruneAnswer,
	PruneRequest,
	Refusal,
	RepairAnswer,
	RepairRequest,
} from './messages.ts'
import { openOrMakeState, type ServicePlace, serviceFiles, within } from './place.ts'
import { listenAt } from './socket-file.ts'

/** What can be asked of the service, and what it does and answers; each answer is plain data. */
interface Requests {
	status: () => ServiceStatus
	/** Look at everything anew, soon. */
	rescan: () => void
	/** Removes sealed snapshots from the haven: an answer for each. */
	prune: (wanted: PruneRequest[]) => Promise<PruneAnswer[]>
	/** Gives receipts to snapshots that are in the mirror: an answer for each. */
	adopt: (keys: AdoptRequest[]) => Promise<AdoptAnswer[]>
	/** Puts good copies in the place of damaged files: an answer for each. */
	repair: (damaged: RepairRequest[]) => Promise<RepairAnswer[]>
}

/** The service's ear, while it is open. */
interface Control {
	/** Hears no more; returns when the socket is gone. */
	close: () => Promise<void>
}

/**
 * Answers on a Unix socket in the state directory, by HTTP and JSON: `GET /status`, `POST /rescan`, `POST /prune`,
 * `POST /adopt`, `POST /repair`. Throws where another service answers for that haven already, and where the state
 * directory can't be written. Keeps no process alive.
 */
export async function serveControl({ stateDirectory, haven, ...requests }: ServicePlace & Requests): Promise<Control> {
	const state = await openOrMakeState(stateDirectory)
	const routes: Routes = {
		'GET /status': (): RunningService => ({ pid: process.pid, version, status: requests.status() }),
		'POST /rescan': () => {
			requests.rescan()
			return {}
		},
		'POST /prune': async (body) => await requests.prune(listOf(body, isPruneRequest)),
		'POST /adopt': async (body) => await requests.adopt(listOf(body, isSnapshot)),
		'POST /repair': async (body) => await requests.repair(listOf(body, isRepairRequest)),
	}
	const server = createServer((request, response) => void answer(routes, request, response))
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

/** What is done for a method and path, given the request's body as plain data. */
type Routes = Record<string, (body: unknown) => unknown>

async function answer(routes: Routes, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const route = `${request.method} ${request.url}`
	const handler = Object.hasOwn(routes, route) ? routes[route] : undefined
	try {
		const body = await bodyOf(request)
		if (handler === undefined) send(response, 404, { error: `there is no ${route}` })
		else send(response, 200, await handler(body))
	} catch (error) {
		// Whatever a question meets, the service goes on.
		send(response, 500, refusal(error))
	}
}

const BODY_BYTES_MAX = 16 * 1024 * 1024

async function bodyOf(request: IncomingMessage): Promise<unknown> {
	const chunks: Buffer[] = []
	let bytes = 0
	for await (const chunk of request) {
		bytes += chunk.length
		if (bytes > BODY_BYTES_MAX) throw new Error(`the question is longer than ${BODY_BYTES_MAX} bytes`)
		chunks.push(chunk)
	}
	return bytes === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

function refusal(error: unknown): Refusal {
	if (!(error instanceof SnaphavenError)) return { error: String(error) }
	const { message, hint } = error
	return { error: message, known: true, ...(hint === undefined ? {} : { hint }) }
}

function listOf<T>(body: unknown, isOne: (value: unknown) => value is T): T[] {
	if (Array.isArray(body) && body.every(isOne)) return body
	throw failure('what it was asked is not a list of what it knows')
}

function isPruneRequest(value: unknown): value is PruneRequest {
	const { key, receiptId } = Object(value)
	return typeof receiptId === 'string' && isSnapshot(key)
}

function isRepairRequest(value: unknown): value is RepairRequest {
	const { targets, good } = Object(value)
	const isTarget = (target: unknown) => {
		const { key, path } = Object(target)
		return isSnapshot(key) && typeof path === 'string'
	}
	const isGood = (copy: unknown) => {
		const { where, path } = Object(copy)
		return ['haven', 'node'].includes(where) && typeof path === 'string'
	}
	return Array.isArray(targets) && targets.every(isTarget) && Array.isArray(good) && good.every(isGood)
}

function isSnapshot(value: unknown): value is AdoptRequest {
	const { keyspace, table, tag } = Object(value)
	return [keyspace, table, tag].every(
		(name) => typeof name === 'string' && /^[^/\0]+$/.test(name) && !/^\.\.?$/.test(name),
	)
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
