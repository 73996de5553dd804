import { type FolderIdentity, isProvenSame, type ParentIdentities } from '../cassandra/folder-identity.ts'

/** A snapshot that the haven has and the node has not, by one look. */
export interface ClearedSnapshot {
	tag: string
	/** The `id` of its receipt. */
	receiptId: string
	/** When it was sealed, ms since the epoch; NaN where its receipt does not say. */
	sealedMs: number
	/** We deleted it on the node ourselves, or were about to. */
	moving: boolean
	/** The data directories that it lay in when it was sealed, and in which folders, where its receipt says so. */
	places: { dataDirectory: string; parents: ParentIdentities | undefined }[]
}

/** What a look found of a table in one data directory. */
export type Sight = { dataDirectory: string } & (
	| ({ there: 'table'; tags: string[] } & ParentIdentities)
	/** Its keyspace's folder holds other tables that the haven knows. */
	| { there: 'no table'; keyspace: FolderIdentity }
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
	/** Whether the data directory is out of sight, which may pass, or what the receipt says of it is another. */
	why: 'sight' | 'identity'
	dataDirectory: string
	problem: string
}

/**
 * Decides whether a snapshot that was cleared on the node is to be removed from the haven: only what somebody else cleared,
 * of a table whose data directories and keyspace are all there, in the very folders that it was sealed from, at two
 * looks, and not soon after its seal.
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

function doubtOf({ places }: ClearedSnapshot, sights: Sight[]): Doubt | undefined {
	const named: Exclude<Sight, { there: 'unknown' }>[] = []
	for (const { dataDirectory } of places) {
		const sight = sights.find((one) => one.dataDirectory === dataDirectory)
		const outOfSight = (problem: string): Doubt => ({ of: 'keyspace', why: 'sight', dataDirectory, problem })
		if (!sight) return outOfSight(`${dataDirectory}, which they came from, is none of the data directories of this run`)
		if (sight.there === 'unknown') return outOfSight(sight.problem)
		named.push(sight)
	}
	for (const [at, sight] of named.entries()) {
		const doubt = doubtOfIdentity(sight, places[at]?.parents)
		if (doubt) return { ...doubt, why: 'identity', dataDirectory: sight.dataDirectory }
	}
	const lacking = named.find(({ there }) => there === 'no table')
	if (named.length > 0 && (!lacking || named.every(({ there }) => there === 'no table'))) return undefined
	const dataDirectory = lacking?.dataDirectory ?? ''
	const problem = lacking
		? `${dataDirectory} has no folder of the table, and another data directory has one`
		: 'a receipt does not say which data directories it is of'
	return { of: 'table', why: 'sight', dataDirectory, problem }
}

/** Cassandra makes the same folders, empty, on a disk that was replaced: they have to be those of the seal. */
function doubtOfIdentity(
	sight: Exclude<Sight, { there: 'unknown' }>,
	sealed: ParentIdentities | undefined,
): Pick<Doubt, 'of' | 'problem'> | undefined {
	const where = sight.dataDirectory
	if (!sealed)
		return { of: 'keyspace', problem: `receipts of an older snaphaven do not say which folder of ${where} it was` }
	const isTable = sight.there === 'table'
	if (isTable ? isProvenSame(sealed.table, sight.table) : isProvenSame(sealed.keyspace, sight.keyspace))
		return undefined
	if ((isTable ? sealed.table : sealed.keyspace).bornNs === undefined)
		return { of: 'keyspace', problem: `the file system of ${where} does not say when a folder was made` }
	const of = isTable && isProvenSame(sealed.keyspace, sight.keyspace) ? 'table' : 'keyspace'
	return { of, problem: `in ${where} the ${of}’s folder is another than the one that they came from` }
}
