import { below, namesIn, openFolder } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { Name } from '../files/names.ts'
import { close, lstatIfThere, type Stat, stat } from '../files/operations.ts'
import { openFolderOrOwnLink } from './list-snapshot.ts'
import { rememberedNames } from './remembered-names.ts'

/** The folders of a table's live SSTables. */
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

/**
 * Glances at a table's own folder in an opened keyspace's, and at those of its secondary indexes. A table that can't be
 * looked into has the error for its mark, so that a look at it tells.
 */
export function* glanceAtLive(
	keyspace: number,
	{ table, isLink, path }: { table: Name; isLink: boolean; path: string },
): Io<LiveGlance> {
	try {
		const folder = isLink ? yield* openFolderOrOwnLink(keyspace, table) : yield* openFolder(keyspace, table)
		if (folder === undefined) return NOTHING
		try {
			return yield* glanceIn(folder, path)
		} finally {
			yield* close(folder)
		}
	} catch (error) {
		if (!hasCode(error)) throw error
		return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? NOTHING : { mark: String(error.code), changedMs: 0 }
	}
}

const NOTHING: LiveGlance = { mark: '', changedMs: 0 }

function* glanceIn(folder: number, path: string): Io<LiveGlance> {
	const own = yield* stat(folder)
	const indexes = yield* rememberedNames(indexesKey(path), own, () => indexesIn(folder))
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
