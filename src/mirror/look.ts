import { openTable, type TableLocation } from '../cassandra/list-snapshot.ts'
import { below, namesIn, openFolderIfThere } from '../files/folders.ts'
import { atOnce, each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, lstatIfThere, type Stat } from '../files/operations.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { ReceiptHead } from '../haven/receipt.ts'
import { type BadReceipt, listReceipts, type TableReceipts } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'

/** What a look at a table found, with a stat of each snapshot's folders but of none of its files. */
export interface TableLook {
	snapshots: SnapshotLook[]
	/** The tags that the haven has of this table, newest first, and when each was taken; none where there is nothing to do. */
	sealed: { tag: string; takenMs: number; fileCount: number }[]
	badReceipts: BadReceipt[]
	/** Symbolic links in the place of snapshots' folders: none is followed there. */
	links: TagLink[]
}

interface TagLink {
	dataDirectory: string
	tag: string
}

export interface SnapshotLook {
	tag: string
	/** The latest change of its folders, ms since the epoch. */
	changedMs: number
	/** What the haven has of that tag: nothing; this very snapshot; something, and the node's has changed since. */
	haven: 'nothing' | 'this' | 'other'
	/** Data directory, inode and mtime (ns) of each of its tag folders. */
	identity: string[]
	state?: ReceiptHead['state']
}

/** Looks at all snapshots of a table, over all data directories. */
export function* lookAtTable(base: string | undefined, location: TableLocation): Io<TableLook> {
	return yield* withSnapshots(location, (opened) => lookAtOpened(base, location, opened))
}

function* lookAtOpened(base: string | undefined, location: TableLocation, opened: OpenedSnapshots[]): Io<TableLook> {
	const receipts = base === undefined ? undefined : yield* onHaven(listReceipts(base, location))
	const found: Found = new Map()
	const links = yield* atOnce(lookForTags(opened, found))
	const heads = receipts ? yield* onHaven(headsOf(receipts, [...found.keys()])) : new Map<string, ReceiptHead>()
	yield* atOnce(lookCloser(opened, found, heads))
	const lost = base === undefined ? [] : yield* onHaven(lostOf(base, [...heads.values()]))
	for (const { tag } of lost) heads.delete(tag)
	const snapshots = [...found].map(([tag, stats]): SnapshotLook => {
		const head = heads.get(tag)
		const changedMs = Math.max(...[...stats.values()].map(({ mtimeNs }) => Number(mtimeNs / 1_000_000n)))
		const seen = { tag, changedMs, identity: identityOf(location, stats) }
		if (!head) return { ...seen, haven: 'nothing' }
		return { ...seen, haven: isAsSealed(head, stats) ? 'this' : 'other', state: head.state }
	})
	const sealed = snapshots.some(({ haven }) => haven !== 'this') ? yield* sealedOf(receipts, lost) : []
	snapshots.sort((a, b) => a.changedMs - b.changedMs)
	return { snapshots, sealed, badReceipts: receipts?.bad ?? [], links }
}

function* headsOf(receipts: TableReceipts, tags: string[]): Io<Map<string, ReceiptHead>> {
	const heads = yield* each(tags, LOOKS_IN_FLIGHT, (tag) => receipts.head(tag))
	return new Map(tags.flatMap((tag, index) => (heads[index] ? [[tag, heads[index]]] : [])))
}

/** What the haven has of the table, but for what it has lost. */
function* sealedOf(receipts: TableReceipts | undefined, lost: ReceiptHead[]): Io<TableLook['sealed']> {
	const gone = new Set(lost.map(({ tag }) => tag))
	const heads = receipts ? yield* onHaven(receipts.all()) : []
	return heads
		.filter(({ tag }) => !gone.has(tag))
		.map(({ tag, takenAt, fileCount }) => ({ tag, takenMs: Date.parse(takenAt), fileCount }))
		.sort((a, b) => b.takenMs - a.takenMs)
}

function identityOf({ dataDirectories }: TableLocation, stats: ReadonlyMap<string, Stat>): string[] {
	return dataDirectories.flatMap((dataDirectory) => {
		const folder = stats.get(keyOf(dataDirectory, ''))
		return folder ? [`${dataDirectory} ${folder.ino} ${folder.mtimeNs}`] : []
	})
}

/** Receipts whose copy somebody has removed from the mirror: they count no more, and the snapshot is mirrored again. */
function* lostOf(base: string, heads: ReceiptHead[]): Io<ReceiptHead[]> {
	const copies = yield* each(heads, LOOKS_IN_FLIGHT, (head) => lstatIfThere(pathOf(`${base}/${snapshotFolder(head)}`)))
	return heads.filter((_, index) => !copies[index]?.isDirectory())
}

const LOOKS_IN_FLIGHT = 16

/** A table's `snapshots/` in one data directory, opened. */
interface OpenedSnapshots {
	dataDirectory: string
	snapshots: number
}

/** What was found of each tag, by keyOf. */
type Found = Map<string, Map<string, Stat>>

/** Works with a table's `snapshots/` of all data directories that have one, each opened once; closes them whatever happens. */
export function* withSnapshots<T>(location: TableLocation, work: (opened: OpenedSnapshots[]) => Io<T>): Io<T> {
	const opened: OpenedSnapshots[] = []
	try {
		for (const dataDirectory of location.dataDirectories) {
			const snapshots = yield* atOnce(openSnapshots(location, dataDirectory))
			if (snapshots !== undefined) opened.push({ dataDirectory, snapshots })
		}
		return yield* work(opened)
	} finally {
		yield* atOnce(closeAll(opened))
	}
}

function* closeAll([first, ...others]: OpenedSnapshots[]): Io<void> {
	if (!first) return
	try {
		yield* close(first.snapshots)
	} finally {
		yield* closeAll(others)
	}
}

function* openSnapshots({ keyspace, table }: TableLocation, dataDirectory: string): Io<number | undefined> {
	const folder = yield* openTable(dataDirectory, keyspace, table)
	if (folder === undefined) return undefined
	try {
		return yield* openFolderIfThere(folder, 'snapshots')
	} finally {
		yield* close(folder)
	}
}

/** Gathers the stat of each tag's folder, or of this tag's alone; gives the links that stand in such a place. */
export function* lookForTags(opened: OpenedSnapshots[], found: Found, only?: string): Io<TagLink[]> {
	const links: TagLink[] = []
	for (const { dataDirectory, snapshots } of opened) {
		for (const tag of only === undefined ? yield* namesIn(snapshots) : [only]) {
			const folder = yield* lstatIfThere(below(snapshots, tag))
			if (folder?.isSymbolicLink()) links.push({ dataDirectory, tag })
			if (!folder?.isDirectory()) continue
			const stats = found.get(tag) ?? new Map<string, Stat>()
			found.set(tag, stats)
			stats.set(keyOf(dataDirectory, ''), folder)
		}
	}
	return links
}

/**
 * Gathers the stats of all else that receipts identify their snapshots by; `heads`: what is known of the receipts, by
 * tag. To be called after `lookForTags`.
 */
export function* lookCloser(
	opened: OpenedSnapshots[],
	found: Found,
	heads: ReadonlyMap<string, ReceiptHead>,
): Io<void> {
	for (const { dataDirectory, snapshots } of opened) {
		for (const [tag, head] of heads) {
			const stats = found.get(tag)
			if (!stats?.has(keyOf(dataDirectory, ''))) continue
			for (const path of identifyingPaths(head, dataDirectory)) {
				const entry = yield* lstatIfThere(below(snapshots, `${tag}/${path}`))
				if (entry) stats.set(keyOf(dataDirectory, path), entry)
			}
		}
	}
}

function identifyingPaths(head: ReceiptHead | undefined, dataDirectory: string): string[] {
	if (!head) return []
	return [...head.source.folders, ...head.source.files]
		.filter((entry) => entry.dataDirectory === dataDirectory && entry.path !== '')
		.map(({ path }) => path)
}

/** Whether nothing has changed since the seal: every folder, manifest.json and schema.cql as the receipt has them. */
export function isAsSealed({ source }: ReceiptHead, stats: ReadonlyMap<string, Stat>): boolean {
	if (stats.size !== source.folders.length + source.files.length) return false
	return (
		source.folders.every(({ dataDirectory, path, ino, mtimeNs }) => {
			const now = stats.get(keyOf(dataDirectory, path))
			return now !== undefined && String(now.ino) === ino && String(now.mtimeNs) === mtimeNs
		}) &&
		source.files.every(({ dataDirectory, path, ino, size, mtimeNs }) => {
			const now = stats.get(keyOf(dataDirectory, path))
			return (
				now !== undefined && String(now.ino) === ino && Number(now.size) === size && String(now.mtimeNs) === mtimeNs
			)
		})
	)
}

function keyOf(dataDirectory: string, path: string): string {
	return `${dataDirectory}\0${path}`
}
