import { open } from 'node:fs/promises'
import { request } from 'node:http'
import { failure, SnaphavenError } from '../errors.ts'
import { hasCode } from '../files/io.ts'
import type { RunningService } from '../mirror/service-status.ts'
import type {
	AdoptAnswer,
	AdoptRequest,
	PruneAnswer,
	PruneRequest,
	Refusal,
	RepairAnswer,
	RepairRequest,
} from './messages.ts'
import { type ServicePlace, serviceFiles, within } from './place.ts'

/** What each question to the service is answered by. */
interface Answers {
	status: RunningService
	/** It looks at everything anew, soon. */
	rescan: Record<string, never>
	/** The snapshots that are its body are removed. */
	prune: PruneAnswer[]
	/** The snapshots that are its body get receipts. */
	adopt: AdoptAnswer[]
	/** The damaged files that are its body are repaired. */
	repair: RepairAnswer[]
}

const METHODS: Record<keyof Answers, 'GET' | 'POST'> = {
	status: 'GET',
	rescan: 'POST',
	prune: 'POST',
	adopt: 'POST',
	repair: 'POST',
}

const PATIENCE = 10_000

/**
 * Asks the service that runs for a haven, and never touches the haven; undefined where none runs. Throws where it does
 * not answer, does not know the question, or belongs to a user whom this one may not ask.
 * @param patience How long it may take, in ms.
 * @param body What `prune`, `adopt` and `repair` are about.
 */
export async function askService<Question extends keyof Answers>(
	{ stateDirectory, haven }: ServicePlace,
	question: Question,
	patience = PATIENCE,
	body?: PruneRequest[] | AdoptRequest[] | RepairRequest[],
): Promise<Answers[Question] | undefined> {
	const name = serviceFiles(haven).socket
	try {
		const state = await open(stateDirectory, 'r')
		try {
			const route = { socketPath: within(state, name), method: METHODS[question], path: `/${question}` }
			return await ask(route, patience, body)
		} finally {
			await state.close()
		}
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ECONNREFUSED')) return undefined
		throw refused(error, `${stateDirectory}/${name}`)
	}
}

function ask<Answer>(
	route: { socketPath: string; method: string; path: string },
	patience: number,
	body: unknown,
): Promise<Answer> {
	const signal = AbortSignal.timeout(patience)
	return new Promise((resolve, reject) => {
		const sent = request({ ...route, signal, agent: false }, (response) => {
			let text = ''
			response.setEncoding('utf8')
			response.on('data', (more: string) => {
				text += more
			})
			response.on('error', reject)
			response.on('end', () => {
				if (response.statusCode === 200) resolve(JSON.parse(text) as Answer)
				else reject(notDone(`${route.method} ${route.path}`, text))
			})
		})
		sent.on('error', reject)
		sent.end(body === undefined ? undefined : JSON.stringify(body))
	})
}

function notDone(route: string, answer: string): Error {
	const refusal = refusalIn(answer)
	if (refusal?.known) return failure(refusal.error, refusal.hint)
	return failure(`the service does not answer ${route}: ${answer}`, 'Is it of another version? Then restart it.')
}

function refusalIn(answer: string): Refusal | undefined {
	try {
		return JSON.parse(answer)
	} catch {
		return undefined
	}
}

function refused(error: unknown, path: string): Error {
	if (error instanceof SnaphavenError) return error
	if (hasCode(error, 'EACCES', 'EPERM')) {
		return failure(
			`a service may run, but ${path} may not be used by this user`,
			'Ask as the user that the service runs as, or as root.',
			error,
		)
	}
	const aborted = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
	const why = aborted ? 'no answer in time' : String((error as Error).message)
	return failure(`the service that listens at ${path} did not answer: ${why}`, 'It hangs, or is ending.', error)
}
