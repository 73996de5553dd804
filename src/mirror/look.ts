import { openTable, type TableLocation } from '../cassandra/list-snapshot.ts'
import { below, namesIn, openFolderIfThere } from '../files/folders.ts'
import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, lstatIfThere, type Stat } from '../files/operations.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { ReceiptHead } from '../haven/receipt.ts'
import { type BadReceipt, readTableHeads } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'

/** What a look at a table found, with a stat of each snapshot's folders but of none of its files. */
export interface TableLook {
	snapshots: SnapshotLook[]
	/** The tags that the haven has of this table, newest first, and when each was taken. */
	sealed: { tag: string; takenMs: number }[]
	badReceipts: BadReceipt[]
}

export interface SnapshotLook {
	tag: string
	/** The latest change of its folders, ms since the epoch. */
	changedMs: number
	/** What the haven has of that tag: nothing; this very snapshot; something, and the node's has changed since. */
	haven: 'nothing' | 'this' | 'other'
	state?: ReceiptHead['state']
}

/** Looks at all snapshots of a table, over all data directories. */
export function* lookAtTable(base: string | undefined, location: TableLocation): Io<TableLook> {
	const { heads, bad } =
		base === undefined
			? { heads: new Map<string, ReceiptHead>(), bad: [] }
			: yield* onHaven(readTableHeads(base, location))
	const found = new Map<string, Map<string, Stat>>()
	for (const dataDirectory of location.dataDirectories) yield* lookIn(dataDirectory, location, heads, found)
	if (base !== undefined) {
		const present = [...found.keys()].flatMap((tag) => heads.get(tag) ?? [])
		for (const { tag } of yield* onHaven(lostOf(base, present))) heads.delete(tag)
	}
	const snapshots = [...found].map(([tag, stats]): SnapshotLook => {
		const head = heads.get(tag)
		const changedMs = Math.max(...[...stats.values()].map(({ mtimeNs }) => Number(mtimeNs / 1_000_000n)))
		if (!head) return { tag, changedMs, haven: 'nothing' }
		return { tag, changedMs, haven: isAsSealed(head, stats) ? 'this' : 'other', state: head.state }
	})
	const sealed = [...heads.values()].map(({ tag, takenAt }) => ({ tag, takenMs: Date.parse(takenAt) }))
	return {
		snapshots: snapshots.sort((a, b) => a.changedMs - b.changedMs),
		sealed: sealed.sort((a, b) => b.takenMs - a.takenMs),
		badReceipts: bad,
	}
}

/** Receipts whose copy somebody has removed from the mirror: they count no more, and the snapshot is mirrored again. */
function* lostOf(base: string, heads: ReceiptHead[]): Io<ReceiptHead[]> {
	const copies = yield* each(heads, LOOKS_IN_FLIGHT, (head) => lstatIfThere(pathOf(`${base}/${snapshotFolder(head)}`)))
	return heads.filter((_, index) => !copies[index]?.isDirectory())
}

const LOOKS_IN_FLIGHT = 16

/** Gathers the stat of each tag's folder, and of all else that its receipt identifies it by. */
function* lookIn(
	dataDirectory: string,
	location: TableLocation,
	heads: ReadonlyMap<string, ReceiptHead>,
	found: Map<string, Map<string, Stat>>,
): Io<void> {
	const table = yield* openTable(dataDirectory, location.keyspace, location.table)
	if (table === undefined) return
	try {
		const snapshots = yield* openFolderIfThere(table, 'snapshots')
		if (snapshots === undefined) return
		try {
			for (const tag of yield* namesIn(snapshots)) {
				const folder = yield* lstatIfThere(below(snapshots, tag))
				if (!folder?.isDirectory()) continue
				const stats = found.get(tag) ?? new Map<string, Stat>()
				found.set(tag, stats)
				stats.set(keyOf(dataDirectory, ''), folder)
				for (const path of identifyingPaths(heads.get(tag), dataDirectory)) {
					const entry = yield* lstatIfThere(below(snapshots, `${tag}/${path}`))
					if (entry) stats.set(keyOf(dataDirectory, path), entry)
				}
			}
		} finally {
			yield* close(snapshots)
		}
	} finally {
		yield* close(table)
	}
}

function identifyingPaths(head: ReceiptHead | undefined, dataDirectory: string): string[] {
	if (!head) return []
	return [...head.source.folders, ...head.source.files]
		.filter((entry) => entry.dataDirectory === dataDirectory && entry.path !== '')
		.map(({ path }) => path)
}

/** Whether nothing has changed since the seal: every folder, manifest.json and schema.cql as the receipt has them. */
function isAsSealed({ source }: ReceiptHead, stats: ReadonlyMap<string, Stat>): boolean {
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
