import { tableName } from '../cassandra/find-tables.ts'
import { type Io, runAsync } from '../files/io.ts'
import { lstatIfThere, readdir } from '../files/operations.ts'
import { readDoubts } from '../haven/doubt.ts'
import { isBackups, LIVE, PARTIAL, type SnapshotKey } from '../haven/layout.ts'
import type { HeadRead, SealedHead } from '../haven/read-heads.ts'
import type { BadReceipt } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'
import type { HeadCache } from './head-cache.ts'
import { readBackupsParts, readLiveSets, readTables } from './read-tables.ts'

/** Which snapshots are meant. */
export interface Selection {
	/** Nothing was chosen: all are meant. */
	isAll?: boolean
	/** By the keyspace and the table's name without its id; undefined where a name can't be told yet: then true. */
	wantsTable: (keyspace: string | undefined, table: string | undefined) => boolean
	wantsTag: (tag: string) => boolean
	/** Live sets are meant too, with LIVE for their tag. */
	live?: boolean
	/** Incremental backups are meant too, part by part: see `isBackups`. */
	backups?: boolean
	/** By when it was taken, ISO 8601. */
	wantsTime: (takenAt: string) => boolean
}

/** What a haven holds of a selection, by the heads of its receipts. */
export interface Catalog {
	/** Sealed, and in no doubt; in no certain order. */
	sealed: SealedHead[]
	/** An intent names them: they are being sealed or removed, or a run was killed meanwhile. They don't count. */
	inDoubt: SnapshotKey[]
	/** Receipts that can't be believed, as far as their heads show it. */
	bad: BadReceipt[]
}

/**
 * Lists what a haven holds, by the receipts' heads: the mirror is not looked at, and nothing is written. A snapshot counts
 * as sealed only where no intent named it, and its receipt was the same before and after that was seen.
 * @param base The haven's root (`Haven.base`).
 * @param cache What is known of receipts' folders that have not changed since: a receipt that was written into is not
 * seen to be damaged then.
 */
export async function readCatalog(base: string, selection: Selection, cache?: HeadCache): Promise<Catalog> {
	const before = await runAsync(onHaven(stillness(base)))
	const reads = await readSelected(base, selection, cache)
	const doubts = await runAsync(onHaven(readDoubts(base)))
	const after = await runAsync(onHaven(stillness(base)))
	const isQuiet = before !== undefined && before === after
	const found = headsOf(reads).filter((head) => isWanted(head, selection))
	const sealed = isQuiet ? found : await unchanged(base, selection, found, cache)
	return {
		sealed: withoutDoubted(sealed, doubts),
		inDoubt: doubts
			.filter(({ tag }) => tag !== LIVE && !isBackups(tag))
			.filter((key) => isTableWanted(key, selection) && selection.wantsTag(key.tag)),
		bad: reads.flatMap((read) => (read && 'bad' in read ? [read.bad] : [])),
	}
}

async function readSelected(base: string, selection: Selection, cache?: HeadCache): Promise<HeadRead[]> {
	const reads = await readTables(base, selection, cache)
	if (selection.live) reads.push(...(await readLiveSets(base, selection)))
	return selection.backups ? reads.concat(await readBackupsParts(base, selection)) : reads
}

function headsOf(reads: HeadRead[]): SealedHead[] {
	return reads.flatMap((read) => (read && 'head' in read ? [read.head] : []))
}

function isWanted(head: SealedHead, selection: Selection): boolean {
	return isTableWanted(head, selection) && selection.wantsTag(head.tag) && selection.wantsTime(head.takenAt)
}

function isTableWanted({ keyspace, table }: { keyspace: string; table: string }, selection: Selection): boolean {
	return selection.isAll || selection.wantsTable(keyspace, tableName(table))
}

function withoutDoubted(sealed: SealedHead[], doubts: SnapshotKey[]): SealedHead[] {
	const doubted = new Set(doubts.map(keyOf))
	return doubted.size === 0 ? sealed : sealed.filter((head) => !doubted.has(keyOf(head)))
}

/** A group may have been withdrawn between its receipt's reading and its intent's: then the receipt is gone by now. */
async function unchanged(
	base: string,
	selection: Selection,
	found: SealedHead[],
	cache: HeadCache | undefined,
): Promise<SealedHead[]> {
	const ids = new Set(headsOf(await readSelected(base, selection, cache)).map(({ id }) => id))
	return found.filter(({ id }) => ids.has(id))
}

/** Undefined while there is something in `partial`, so that somebody may be at work; else what changes once there was. */
function* stillness(base: string): Io<string | undefined> {
	const found = yield* lstatIfThere(`${base}/${PARTIAL}`)
	const names = found ? yield* readdir(`${base}/${PARTIAL}`) : []
	return names.length > 0 ? undefined : `${found?.ino} ${found?.mtimeNs}`
}

function keyOf({ keyspace, table, tag }: SnapshotKey): string {
	return `${keyspace}/${table}/${tag}`
}
