import { each, hasCode, type Io } from '../files/io.ts'
import { lstatIfThere, readdir } from '../files/operations.ts'
import { type BACKUPS_RECEIPTS, LIVE_RECEIPTS, RECEIPTS } from './layout.ts'

/** A folder that holds a table's receipts. */
export interface ReceiptFolder {
	/** Relative to the haven. */
	path: string
	/** What changes whenever a receipt comes, goes or is replaced, but not when one is written into. */
	identity: string
	mtimeNs: bigint
}

/** More of them cost a local disk more than they gain a slow one. */
const FOLDERS_IN_FLIGHT = 8

/**
 * Finds the folders of tables' receipts, of snapshots or of incremental backups. Names are undefined where only the
 * receipts can tell them.
 */
export function* listReceiptFolders(
	base: string,
	wanted: (keyspace: string | undefined, table: string | undefined) => boolean,
	root: typeof RECEIPTS | typeof BACKUPS_RECEIPTS = RECEIPTS,
): Io<ReceiptFolder[]> {
	const keyspaces = yield* namesIn(`${base}/${root}`)
	const tables = yield* each(keyspaces, FOLDERS_IN_FLIGHT, function* (keyspace) {
		const names = yield* namesIn(`${base}/${root}/${keyspace}`)
		const meant = names.filter((table) => wanted(trueName(keyspace), trueName(table)))
		return meant.map((table) => `${root}/${keyspace}/${table}`)
	})
	const folders = yield* each(tables.flat(), FOLDERS_IN_FLIGHT, function* (path): Io<ReceiptFolder[]> {
		const stat = yield* lstatIfThere(`${base}/${path}`)
		if (!stat?.isDirectory()) return []
		return [{ path, identity: `${stat.ino} ${stat.mtimeNs}`, mtimeNs: stat.mtimeNs }]
	})
	return folders.flat()
}

/** The receipts in such folders, those aside whose names show that their tags are not wanted; paths in the haven. */
export function* listReceiptsIn(
	base: string,
	folders: readonly { path: string }[],
	wantsTag: (tag: string) => boolean,
): Io<string[][]> {
	return yield* each(folders, FOLDERS_IN_FLIGHT, function* ({ path }) {
		const names = (yield* namesIn(`${base}/${path}`)).filter((name) => {
			if (!name.endsWith('.json')) return false
			const tag = trueName(name.slice(0, -'.json'.length))
			return tag === undefined || wantsTag(tag)
		})
		return names.map((name) => `${path}/${name}`)
	})
}

/** The receipts of live sets, those of tables aside that their names show not to be wanted; paths in the haven. */
export function* listLiveReceipts(
	base: string,
	wanted: (keyspace: string | undefined, table: string | undefined) => boolean,
): Io<string[]> {
	const paths: string[] = []
	for (const keyspace of yield* namesIn(`${base}/${LIVE_RECEIPTS}`)) {
		for (const name of yield* namesIn(`${base}/${LIVE_RECEIPTS}/${keyspace}`)) {
			if (!name.endsWith('.json')) continue
			const table = trueName(name.slice(0, -'.json'.length))
			if (wanted(trueName(keyspace), table)) paths.push(`${LIVE_RECEIPTS}/${keyspace}/${name}`)
		}
	}
	return paths
}

/** The name that a safe name stands for, where that is the name itself: only a shortened one has a `~`. */
function trueName(safe: string): string | undefined {
	return safe.includes('~') ? undefined : safe
}

/** The names in a folder; what is gone by now, or no folder, holds nothing. */
export function* namesIn(folder: string): Io<string[]> {
	try {
		return yield* readdir(folder)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
		throw error
	}
}
