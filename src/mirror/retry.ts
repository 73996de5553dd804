import { isDeepStrictEqual as isDeepEqual } from 'node:util'
import type { OpenSnapshot } from './pass.ts'

/** What decides when a table is looked at again. */
interface Question {
	/** Now, in ms since the epoch, and by the steady clock. */
	nowMs: number
	steadyMs: number
	open: OpenSnapshot[]
	/** How often a look has left something that failed, one after the other. */
	failures: number
	/** When a snapshot of the table was last sealed, by the steady clock. */
	sealedMs: number | undefined
}

/** The longest pause before what failed, or still waits, is tried again; longer is the rest of what took long to fail. */
export const RETRY_MS_MAX = 60_000
const RETRY_MS_MIN = 1000
const SOON_MS = 100
/** After a seal the snapshot may still change in place, which its folders don't tell: manifest.json and schema.cql are looked at again. */
const AFTER_SEAL_MS = [5000, 60_000]

/** In how many ms a table is to be looked at again; undefined where only a change there is a reason to. */
export function lookAgainIn(question: Question): number | undefined {
	const pauses = [...question.open.flatMap((one) => pauseFor(one, question)), ...afterSeal(question)]
	return pauses.length === 0 ? undefined : Math.min(...pauses)
}

const REST_FACTOR = 10
const REST_MS_MAX = 12 * 3_600_000

/** How long what failed after it was copied for so long is left alone: most of the time Cassandra has its disks for itself. */
export function restFor(spentMs: number): number {
	return Math.min(REST_MS_MAX, REST_FACTOR * spentMs)
}

/** Whether what an earlier look has left is to be left alone still: not once it has changed. */
export function isResting({ rest }: OpenSnapshot, identity: readonly string[], nowMs: number): boolean {
	return rest !== undefined && nowMs < rest.untilMs && isDeepEqual(rest.identity, identity)
}

/** Pauses double with each failure; what waits is looked at more rarely the longer it has waited. */
function pauseFor(one: OpenSnapshot, { nowMs, steadyMs, failures }: Question): number {
	if (one.state !== 'waiting') {
		const pause = retryIn(failures)
		return Math.max(pause, (one.rest?.untilMs ?? 0) - steadyMs)
	}
	const age = Math.max(0, nowMs - one.sinceMs)
	const patience = Math.min(RETRY_MS_MAX, Math.max(SOON_MS, age / 10))
	const until = one.untilMs === undefined ? 0 : one.untilMs - nowMs
	return Math.min(RETRY_MS_MAX, Math.max(patience, until))
}

/** In how many ms what failed so often is tried again. */
export function retryIn(failures: number): number {
	return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.max(0, failures - 1))
}

function afterSeal({ steadyMs, sealedMs }: Question): number[] {
	if (sealedMs === undefined) return []
	const next = AFTER_SEAL_MS.map((after) => sealedMs + after - steadyMs).find((pause) => pause > 0)
	return next === undefined ? [] : [next]
}
