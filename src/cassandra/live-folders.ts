import { below, namesIn, openFolderIfThere } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import type { Name } from '../files/names.ts'
import { close, lstatIfThere, type Stat, stat } from '../files/operations.ts'
import { openTable, type TableLocation } from './list-snapshot.ts'
import type { SSTableFolders } from './look-at-live.ts'

/** A folder with live SSTables, by which it can be told whether any came or went. */
export interface FolderState {
	dataDirectory: string
	/** Within the table's folder, `''` for itself. */
	path: Name
	ino: string
	mtimeNs: string
}

/**
 * Whether the table's folders, or those of its backups, are the very ones that an earlier look found, over all data directories, with the times
 * that they had. A secondary index that came meanwhile has changed the time of the table's folder.
 */
export function* areFoldersAsBefore(
	location: TableLocation,
	before: readonly FolderState[],
	which: SSTableFolders = 'live',
): Io<boolean> {
	let seen = 0
	for (const dataDirectory of location.dataDirectories) {
		const table = yield* openSSTables(dataDirectory, location, which)
		if (table === undefined) continue
		try {
			const known = before.filter((one) => one.dataDirectory === dataDirectory)
			if (!known.some(({ path }) => path === '')) return false
			for (const one of known) {
				const found = one.path === '' ? yield* stat(table) : yield* lstatIfThere(below(table, one.path))
				if (!isSame(one, found)) return false
			}
			seen += known.length
		} finally {
			yield* close(table)
		}
	}
	return seen === before.length
}

/** Opens a table's folder in a data directory, or its `backups/`; undefined where there is none. */
function* openSSTables(
	dataDirectory: string,
	{ keyspace, table }: TableLocation,
	which: SSTableFolders,
): Io<number | undefined> {
	const folder = yield* openTable(dataDirectory, keyspace, table)
	if (folder === undefined || which === 'live') return folder
	try {
		return yield* openFolderIfThere(folder, 'backups')
	} finally {
		yield* close(folder)
	}
}

function isSame({ ino, mtimeNs }: FolderState, found: Stat | undefined): boolean {
	return found !== undefined && String(found.ino) === ino && String(found.mtimeNs) === mtimeNs
}

/** Whether Cassandra has dropped the table: it takes a snapshot `dropped-<ms>-<table>` before it removes the SSTables. */
export function* isDropped({ dataDirectories, keyspace, table }: TableLocation): Io<boolean> {
	for (const dataDirectory of dataDirectories) {
		const folder = yield* openTable(dataDirectory, keyspace, table)
		if (folder === undefined) continue
		try {
			const snapshots = yield* openFolderIfThere(folder, 'snapshots')
			if (snapshots === undefined) continue
			try {
				if ((yield* namesIn(snapshots)).some((tag) => /^dropped-\d+-/.test(tag))) return true
			} finally {
				yield* close(snapshots)
			}
		} finally {
			yield* close(folder)
		}
	}
	return false
}
