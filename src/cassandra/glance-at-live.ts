import { below, namesIn, openFolder, openFolderIfThere } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { Name } from '../files/names.ts'
import { close, lstatIfThere, type Stat, stat } from '../files/operations.ts'
import { openFolderOrOwnLink } from './list-snapshot.ts'
import { rememberedNames } from './remembered-names.ts'

/** Which folders of SSTables are glanced at. */
export interface WantedSSTables {
	/** Those of the live ones. */
	live: boolean
	/** Those of the incremental backups. */
	backups: boolean
}

/** The folders of a table's SSTables that are wanted. */
export interface LiveGlance {
	/** Another one whenever an SSTable, or a transaction log, has come or gone in any of them. */
	mark: string
	/** Their youngest mtime, ms since the epoch. */
	changedMs: number
}

/** Under which key the names of a table's secondary indexes are remembered. */
export function indexesKey(path: string): string {
	return `${path}/.`
}

/** The same of its incremental backups. */
export function backupIndexesKey(path: string): string {
	return `${path}/backups/.`
}

/**
 * Glances at a table's own folder in an opened keyspace's, at its `backups/`, and at those of its secondary indexes in
 * them, as far as they are wanted. A table that can't be
 * looked into has the error for its mark, so that a look at it tells.
 */
export function* glanceAtLive(
	keyspace: number,
	{ table, isLink, path }: { table: Name; isLink: boolean; path: string },
	wanted: WantedSSTables,
): Io<LiveGlance> {
	try {
		const folder = isLink ? yield* openFolderOrOwnLink(keyspace, table) : yield* openFolder(keyspace, table)
		if (folder === undefined) return NOTHING
		try {
			const live = wanted.live ? yield* glanceIn(folder, indexesKey(path)) : NOTHING
			return wanted.backups ? both(live, yield* glanceAtBackups(folder, path)) : live
		} finally {
			yield* close(folder)
		}
	} catch (error) {
		if (!hasCode(error)) throw error
		return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? NOTHING : { mark: String(error.code), changedMs: 0 }
	}
}

const NOTHING: LiveGlance = { mark: '', changedMs: 0 }

function* glanceAtBackups(table: number, path: string): Io<LiveGlance> {
	const folder = yield* openFolderIfThere(table, 'backups')
	if (folder === undefined) return NOTHING
	try {
		return yield* glanceIn(folder, backupIndexesKey(path))
	} finally {
		yield* close(folder)
	}
}

function both(one: LiveGlance, other: LiveGlance): LiveGlance {
	return { mark: `${one.mark}\0${other.mark}`, changedMs: Math.max(one.changedMs, other.changedMs) }
}

function* glanceIn(folder: number, key: string): Io<LiveGlance> {
	const own = yield* stat(folder)
	const indexes = yield* rememberedNames(key, own, () => indexesIn(folder))
	let mark = markOf('', own)
	let youngestNs = own.mtimeNs
	for (const name of indexes) {
		const entry = yield* lstatIfThere(below(folder, name))
		if (!entry?.isDirectory()) continue
		mark += markOf(name, entry)
		if (entry.mtimeNs > youngestNs) youngestNs = entry.mtimeNs
	}
	return { mark, changedMs: Number(youngestNs / 1_000_000n) }
}

function markOf(name: Name, { dev, ino, mtimeNs }: Stat): string {
	return `/${name}/${dev}/${ino}/${mtimeNs}`
}

function* indexesIn(folder: number): Io<Name[]> {
	return (yield* namesIn(folder)).filter((name) => name.startsWith('.')).sort()
}
