import { tableName } from '../cassandra/find-tables.ts'
import { type Io, runAsync } from '../files/io.ts'
import { lstatIfThere, readdir } from '../files/operations.ts'
import { readDoubts } from '../haven/doubt.ts'
import { PARTIAL, type SnapshotKey } from '../haven/layout.ts'
import { type HeadRead, readHeads, type SealedHead } from '../haven/read-heads.ts'
import { listReceiptPlaces } from '../haven/receipt-places.ts'
import type { BadReceipt } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'

/** Which snapshots are meant. */
export interface Selection {
	/** Nothing was chosen: all are meant. */
	isAll?: boolean
	/** By the keyspace and the table's name without its id; undefined where a name can't be told yet: then true. */
	wantsTable: (keyspace: string | undefined, table: string | undefined) => boolean
	wantsTag: (tag: string) => boolean
	/** By when it was taken, ms since the epoch. */
	wantsTime: (takenAtMs: number) => boolean
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
 */
export async function readCatalog(base: string, selection: Selection): Promise<Catalog> {
	const before = await runAsync(onHaven(stillness(base)))
	const paths = await placesOf(base, selection)
	const reads = await readAll(base, paths)
	const doubts = await runAsync(onHaven(readDoubts(base)))
	const after = await runAsync(onHaven(stillness(base)))
	const isQuiet = before !== undefined && before === after
	const sealed = headsOf(reads).filter((head) => isWanted(head, selection))
	return {
		...split(isQuiet ? sealed : await unchanged(base, paths, sealed), doubts),
		inDoubt: doubts.filter((key) => isTableWanted(key, selection) && selection.wantsTag(key.tag)),
		bad: reads.flatMap((read) => (read && 'bad' in read ? [read.bad] : [])),
	}
}

async function placesOf(base: string, { wantsTable, wantsTag }: Selection): Promise<string[]> {
	const places = await runAsync(
		onHaven(
			listReceiptPlaces(
				base,
				({ keyspace, table, tag }) =>
					wantsTable(keyspace, table && tableName(table)) && (tag === undefined || wantsTag(tag)),
			),
		),
	)
	return places.map(({ path }) => path)
}

const HEADS_IN_FLIGHT = 64

async function readAll(base: string, paths: string[]): Promise<HeadRead[]> {
	return await runAsync(onHaven(readHeads(base, paths, HEADS_IN_FLIGHT)))
}

function headsOf(reads: HeadRead[]): SealedHead[] {
	return reads.flatMap((read) => (read && 'head' in read ? [read.head] : []))
}

function isWanted(head: SealedHead, selection: Selection): boolean {
	return isTableWanted(head, selection) && selection.wantsTag(head.tag) && selection.wantsTime(Date.parse(head.takenAt))
}

function isTableWanted({ keyspace, table }: { keyspace: string; table: string }, { wantsTable }: Selection): boolean {
	return wantsTable(keyspace, tableName(table))
}

function split(sealed: SealedHead[], doubts: SnapshotKey[]): { sealed: SealedHead[] } {
	const doubted = new Set(doubts.map(keyOf))
	return { sealed: doubted.size === 0 ? sealed : sealed.filter((head) => !doubted.has(keyOf(head))) }
}

/** A group may have been withdrawn between its receipt's reading and its intent's: then the receipt is gone by now. */
async function unchanged(base: string, paths: string[], sealed: SealedHead[]): Promise<SealedHead[]> {
	const ids = new Set(headsOf(await readAll(base, paths)).map(({ id }) => id))
	return sealed.filter(({ id }) => ids.has(id))
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
