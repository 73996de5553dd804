import { findBackups } from '../cassandra/backups.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { areFoldersAsBefore, type FolderState } from '../cassandra/live-folders.ts'
import type { LiveFile, LiveListing } from '../cassandra/live-listing.ts'
import type { FoundSSTable, LiveSSTables } from '../cassandra/live-sstables.ts'
import { lookAtLive } from '../cassandra/look-at-live.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { type Name, pathOf } from '../files/names.ts'
import { lstatIfThere } from '../files/operations.ts'
import { readBackupsHeads, readLastBackupsHead } from '../haven/backups.ts'
import { BACKUPS, backupsTag, isApart, PARTIAL, snapshotFolder } from '../haven/layout.ts'
import type { ReceiptHead } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { decideLive, type GatheredLive } from './live-decision.ts'
import { draftLive } from './live-draft.ts'
import { gatheringFolder, isPassing, type LiveAnswer, type LiveOrder, planToGather, TICK_MS } from './live-look.ts'
import { isSameComponent } from './plan.ts'

/** What it takes to look at a table's incremental backups; plain data. Its tag is BACKUPS. */
export interface BackupsOrder extends LiveOrder {
	/** The folders as an earlier look has left nothing to do in them. */
	seen?: FolderState[]
}

/**
 * Looks at a table's `backups/` for SSTables that the haven has not, and that are whole. What is gone there is no matter:
 * the haven keeps its copy.
 */
export function* lookForBackups(order: BackupsOrder, gathered: GatheredLive[]): Io<LiveAnswer> {
	const { base, location } = order
	if (gathered.length === 0) {
		const given = order.seen
		const seen = given ?? (yield* lastSeen(order))
		if (seen && (yield* areFoldersAsBefore(location, seen, 'backups')))
			return { answer: 'unchanged', problems: [], damaged: false, seen, ...(given ? { isAsSeen: true } : {}) }
	}
	const nowMs = Date.now()
	const listing = yield* lookAtLive(location, 'backups')
	if (!listing) return { answer: 'busy' }
	if (listing.folders.length === 0) return { answer: 'gone' }
	const { found, isNameTaken } = yield* findNew(order, findBackups(listing, nowMs))
	if (!order.isLast && isPassing(found)) return { answer: 'busy' }
	const decision = decideLive(listing, found, [], gathered)
	if (base !== undefined) {
		for (const path of decision.vain) yield* onHaven(removeTree(`${gatheringFolder(order)}/${path}`))
	}
	if (decision.missing.length > 0) return yield* planToGather(order, listing, decision)
	if (decision.add.length === 0) {
		if (isPassing(found)) return { answer: 'busy' }
		const seen = settledFolders(listing, nowMs)
		return { answer: 'unchanged', problems: decision.problems, damaged: false, ...(seen ? { seen } : {}) }
	}
	const id = `${order.partial.slice(PARTIAL.length + 1)}-${order.number}`
	const lookedAt = new Date(nowMs).toISOString()
	const tag = backupsTag(lookedAt, id, isNameTaken)
	return { answer: 'ready', ...(yield* draftLive({ ...order, tag }, { listing, decision, lookedAt })) }
}

/** Where nobody remembers a look: the folders as the part that came last has left nothing to do in them. */
function* lastSeen({ base, location }: BackupsOrder): Io<FolderState[] | undefined> {
	const last = base === undefined ? undefined : yield* onHaven(readLastBackupsHead(base, location))
	if (!last || last.notes.length > 0 || !areSettled(last.source.folders, Date.parse(last.takenAt))) return undefined
	return last.source.folders
}

function settledFolders({ folders, dataDirectories }: LiveListing, nowMs: number): FolderState[] | undefined {
	const states = folders.map(({ directory, path, own }) => ({
		dataDirectory: dataDirectories[directory] ?? '',
		path,
		ino: String(own.ino),
		mtimeNs: String(own.mtimeNs),
	}))
	return areSettled(states, nowMs) ? states : undefined
}

function areSettled(folders: readonly { mtimeNs: string }[], atMs: number): boolean {
	const settledNs = BigInt(atMs - TICK_MS) * 1_000_000n
	return folders.every(({ mtimeNs }) => BigInt(mtimeNs) <= settledNs)
}

/** An SSTable was written before it was sealed, but clocks step. */
export const CLOCK_MS = 3_600_000

/**
 * The SSTables that the haven has not, and whether one has the name of another that it has. An SSTable was written before
 * it was sealed: of a long row of receipts only the last are read. Where that does not hold the haven has its name, and all
 * are read.
 */
function* findNew(
	{ base, location }: BackupsOrder,
	all: LiveSSTables,
): Io<{ found: LiveSSTables; isNameTaken: boolean }> {
	if (base === undefined || all.sstables.length === 0) return { found: all, isNameTaken: false }
	const found = withoutKnown(all, yield* onHaven(readBackupsHeads(base, location, oldestMs(all.sstables) - CLOCK_MS)))
	if (!(yield* onHaven(isAnyThere(base, location, found)))) return { found, isNameTaken: false }
	const heads = yield* onHaven(readBackupsHeads(base, location))
	return { found: withoutKnown(all, heads), isNameTaken: areNamesTaken(found, heads) }
}

function* isAnyThere(base: string, location: TableLocation, { sstables }: LiveSSTables): Io<boolean> {
	const folder = `${base}/${snapshotFolder({ ...location, tag: BACKUPS })}`
	for (const { prefix } of sstables) if (yield* lstatIfThere(pathOf(`${folder}/${prefix}Data.db`))) return true
	return false
}

/** When the oldest of some SSTables was written, ms since the epoch. */
export function oldestMs(sstables: readonly Pick<FoundSSTable, 'files'>[]): number {
	return sstables.reduce(
		(oldest, one) => Math.min(oldest, Number((dataOf(one)?.mtimeNs ?? 0n) / 1_000_000n)),
		Number.POSITIVE_INFINITY,
	)
}

function dataOf({ files }: Pick<FoundSSTable, 'files'>): LiveFile | undefined {
	return files.find(({ name }) => parseComponent(name)?.component === 'Data.db')
}

/** Leaves out SSTables that the haven has: it has their Data.db, which is the last of them to go from the node. */
function withoutKnown(found: LiveSSTables, heads: readonly ReceiptHead[]): LiveSSTables {
	const known = Map.groupBy(
		heads.flatMap(({ source }) => source.files),
		({ path }) => path,
	)
	const isKnown = (sstable: FoundSSTable) => {
		const path = `${sstable.prefix}Data.db`
		const data = dataOf(sstable)
		return data && known.get(path)?.some((one) => isSameComponent({ ...data, path }, one))
	}
	return { ...found, sstables: found.sstables.filter((one) => !isKnown(one)) }
}

/**
 * Whether the haven has other SSTables of such names. Cassandra numbers anew where nothing is left of a table but what is
 * in the haven: after a TRUNCATE and a restart, or where its folders were replaced.
 */
function areNamesTaken({ sstables }: LiveSSTables, heads: readonly ReceiptHead[]): boolean {
	const taken = new Set<Name>()
	for (const { tag, source } of heads) if (!isApart(tag)) for (const { path } of source.files) taken.add(path)
	return sstables.some(({ prefix }) => taken.has(`${prefix}Data.db`))
}
