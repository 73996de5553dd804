import { askService } from '../control/client.ts'
import { failure } from '../errors.ts'
import { type Tending, tendHaven } from '../mirror/tend.ts'
import { problemLine } from '../report/messages.ts'
import type { Places } from './shared-options.ts'
import type { Teller } from './teller.ts'

/** How a haven is tended. */
interface Ways extends Places {
	/** Make a haven of a folder that is none yet. */
	make?: boolean
	/** See tendHaven. */
	settleMs?: number
	teller: Teller
	signal: AbortSignal
}

/** Calls `work` with the way to tend the haven: by the service where one runs, else by ourselves under the haven's lease. */
export async function withTending(
	{ haven, dataDirectories, stateDirectory, teller, make = false, settleMs = 0, signal }: Ways,
	work: (tending: Tending) => Promise<void>,
): Promise<void> {
	const place = { haven, stateDirectory }
	if (await askService(place, 'status')) return await work(throughService(place))
	const warn = (message: string) => teller.print(problemLine('warning', 'doubtful', message))
	await tendHaven({ ...place, make, dataDirectories, signal, warn }, settleMs, work)
}

/** What a service may take to remove so many, in ms: on a NAS each file is a call or two. */
const REMOVING_MS = 1_800_000

/** What a service may take to read some snapshots, in ms: they may be large, and the NAS slow. */
const READING_MS = 24 * 3_600_000

function throughService(place: Parameters<typeof askService>[0]): Tending {
	return {
		prune: async (wanted) => answered(await askService(place, 'prune', REMOVING_MS, wanted)),
		adopt: async (keys) => answered(await askService(place, 'adopt', READING_MS, keys)),
		repair: async (damaged) => answered(await askService(place, 'repair', READING_MS, damaged)),
	}
}

function answered<T>(answer: T | undefined): T {
	if (answer !== undefined) return answer
	throw failure('the service that runs for the haven has ended meanwhile', 'Run it again to go on.')
}
