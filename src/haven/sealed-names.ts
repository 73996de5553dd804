import { each, hasCode, type Io } from '../files/io.ts'
import { decodeName, pathOf } from '../files/names.ts'
import { readdirBytes } from '../files/operations.ts'
import { RECEIPTS, receiptsFolder, safeName, snapshotsFolder } from './layout.ts'
import { namesIn } from './receipt-folders.ts'

/** A table that has, or had, receipts. */
export interface SealedTable {
	keyspace: string
	/** The table's folder, `<name>-<id>`. */
	table: string
}

const FOLDERS_IN_FLIGHT = 32

/** The tables of a haven by the names of its folders: no receipt is opened. */
export function* findSealedTables(base: string): Io<SealedTable[]> {
	const keyspaces = yield* trueNames(base, RECEIPTS, 'data')
	const tables = yield* each(keyspaces, FOLDERS_IN_FLIGHT, function* (keyspace) {
		const names = yield* trueNames(base, `${RECEIPTS}/${safeName(keyspace)}`, `data/${keyspace}`)
		return names.map((table) => ({ keyspace, table }))
	})
	return tables.flat()
}

/** The tags of tables that have receipts, by the names of these. */
export function findTags(base: string, tables: SealedTable[]): Io<string[][]> {
	return each(tables, FOLDERS_IN_FLIGHT, (table) => trueNames(base, receiptsFolder(table), snapshotsFolder(table)))
}

/** The names that safe names in a folder stand for: where one was shortened, that of the mirror which it is made of. */
function* trueNames(base: string, receipts: string, mirror: string): Io<string[]> {
	const safe = (yield* namesIn(`${base}/${receipts}`)).map((name) => name.replace(/\.json$/, ''))
	if (!safe.some((name) => name.includes('~'))) return safe
	const known = new Map((yield* mirroredNames(`${base}/${mirror}`)).map((name) => [safeName(name), name]))
	return safe.flatMap((name) => (name.includes('~') ? (known.get(name) ?? []) : name))
}

function* mirroredNames(folder: string): Io<string[]> {
	try {
		return (yield* readdirBytes(pathOf(folder), { encoding: 'buffer' })).map(decodeName)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
		throw error
	}
}
