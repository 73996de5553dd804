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

/** The longest pause before what failed, or still waits, is tried again. */
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

/** Pauses double with each failure; what waits is looked at more rarely the longer it has waited. */
function pauseFor(one: OpenSnapshot, { nowMs, failures }: Question): number {
	if (one.state !== 'waiting') return Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.max(0, failures - 1))
	const age = Math.max(0, nowMs - one.sinceMs)
	const patience = Math.min(RETRY_MS_MAX, Math.max(SOON_MS, age / 10))
	const until = one.untilMs === undefined ? 0 : one.untilMs - nowMs
	return Math.min(RETRY_MS_MAX, Math.max(patience, until))
}

function afterSeal({ steadyMs, sealedMs }: Question): number[] {
	if (sealedMs === undefined) return []
	const next = AFTER_SEAL_MS.map((after) => sealedMs + after - steadyMs).find((pause) => pause > 0)
	return next === undefined ? [] : [next]
}
