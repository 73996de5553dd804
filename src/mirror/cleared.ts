/** A snapshot that the haven has and the node has not, by one look. */
export interface ClearedSnapshot {
	tag: string
	/** The `id` of its receipt. */
	receiptId: string
	/** When it was sealed, ms since the epoch; NaN where its receipt does not say. */
	sealedMs: number
	/** We deleted it on the node ourselves, or were about to. */
	moving: boolean
	/** The data directories that it lay in when it was sealed. */
	dataDirectories: string[]
}

/** What a look found of a table in one data directory. */
export type Sight = { dataDirectory: string } & (
	| { there: 'table'; tags: string[] }
	/** Its keyspace's folder holds other tables that the haven knows. */
	| { there: 'no table' }
	/** That can't be told, and why: it is not mounted, most likely. */
	| { there: 'unknown'; problem: string }
)

/** All that a decision is made by. */
export interface Evidence {
	/** One for each data directory of this run. */
	sights: Sight[]
	/** Whether a tag is this run's business. */
	matchesTag: (tag: string) => boolean
	/** Now, ms since the epoch. */
	nowMs: number
	/** How long after its seal a snapshot stays whatever happens, in ms. */
	graceMs: number
	/** Now, by the steady clock. */
	steadyMs: number
	/** How far apart two looks have to be, in ms. */
	apartMs: number
	/** By receipt: when an earlier look found the snapshot gone, by the steady clock. */
	goneSinceMs: ReadonlyMap<string, number>
}

/** What is to become of a snapshot that was cleared. */
export type Verdict =
	| { verdict: 'remove' }
	/** It is gone, and is to be gone at a later look too. */
	| { verdict: 'look again'; inMs: number }
	/** Its seal is too young. */
	| { verdict: 'too young'; inMs: number }
	| { verdict: 'keep'; because: 'moved by us' | 'not asked for' | 'on the node' }
	/** More than this snapshot may be out of sight. */
	| { verdict: 'in doubt'; doubt: Doubt }

/** Why it can't be told that a snapshot was cleared, and not a disk unmounted. */
export interface Doubt {
	/** Whether it is the same for all tables of the keyspace. */
	of: 'keyspace' | 'table'
	dataDirectory: string
	problem: string
}

/**
 * Decides whether a snapshot that was cleared on the node is to be removed from the haven: only what somebody else cleared,
 * of a table whose data directories and keyspace are all there, at two looks, and not soon after its seal.
 */
export function decideRemoval(snapshot: ClearedSnapshot, evidence: Evidence): Verdict {
	const { sights, nowMs, steadyMs } = evidence
	if (snapshot.moving) return { verdict: 'keep', because: 'moved by us' }
	if (!evidence.matchesTag(snapshot.tag)) return { verdict: 'keep', because: 'not asked for' }
	if (sights.some((sight) => sight.there === 'table' && sight.tags.includes(snapshot.tag)))
		return { verdict: 'keep', because: 'on the node' }
	const youngMs = snapshot.sealedMs + evidence.graceMs - nowMs
	if (!(youngMs < 0)) return { verdict: 'too young', inMs: Number.isNaN(youngMs) ? Number.POSITIVE_INFINITY : youngMs }
	const doubt = doubtOf(snapshot, sights)
	if (doubt) return { verdict: 'in doubt', doubt }
	const sinceMs = evidence.goneSinceMs.get(snapshot.receiptId) ?? steadyMs
	const inMs = sinceMs + evidence.apartMs - steadyMs
	return evidence.goneSinceMs.has(snapshot.receiptId) && inMs <= 0
		? { verdict: 'remove' }
		: { verdict: 'look again', inMs: Math.max(0, inMs) }
}

function doubtOf({ dataDirectories }: ClearedSnapshot, sights: Sight[]): Doubt | undefined {
	const named: Sight[] = []
	for (const dataDirectory of dataDirectories) {
		const sight = sights.find((one) => one.dataDirectory === dataDirectory)
		const problem = sight
			? sight.there === 'unknown' && sight.problem
			: `${dataDirectory}, which they came from, is none of the data directories of this run`
		if (problem) return { of: 'keyspace', dataDirectory, problem }
		if (sight) named.push(sight)
	}
	const lacking = named.find(({ there }) => there === 'no table')
	if (named.length > 0 && (!lacking || named.every(({ there }) => there === 'no table'))) return undefined
	const dataDirectory = lacking?.dataDirectory ?? ''
	const problem = lacking
		? `${dataDirectory} has no folder of the table, and another data directory has one`
		: 'a receipt does not say which data directories it is of'
	return { of: 'table', dataDirectory, problem }
}
