import { failure, usageError } from '../errors.ts'
import { constants } from '../files/builtins.ts'
import { below, namesIn } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, lstatIfThere, open, stat } from '../files/operations.ts'
import { openFolderOrOwnLink, type TableLocation } from './list-snapshot.ts'
import { SYSTEM_KEYSPACES } from './snapshot.ts'

/** What the data directories hold of the wanted keyspaces. */
interface FoundTables {
	keyspaces: string[]
	/** Every table's folder, a dropped and a re-made one of the same name both, over all data directories. */
	tables: TableLocation[]
	/** What could not be looked into, and why; the rest goes on. */
	troubles: string[]
}

/**
 * Finds the tables of these keyspaces (`'all'`: every one but Cassandra's own). A data directory or keyspace that is not
 * there, or can't be read, is wrong usage.
 */
export function* findTables(dataDirectories: string[], wanted: string[] | 'all'): Io<FoundTables> {
	const existing = new Set<string>()
	const found: FoundTables = { keyspaces: [], tables: [], troubles: [] }
	const tables = new Map<string, TableLocation>()
	for (const dataDirectory of dataDirectories) {
		const folder = yield* openDataDirectory(dataDirectory)
		try {
			const names = yield* onDataDirectory(dataDirectory, foldersIn(folder))
			for (const name of names) existing.add(name)
			for (const keyspace of wanted === 'all' ? names.filter(isUserKeyspace) : wanted) {
				yield* addTables({ folder, dataDirectory, keyspace, tables, troubles: found.troubles })
			}
		} finally {
			yield* onDataDirectory(dataDirectory, close(folder))
		}
	}
	found.keyspaces = wanted === 'all' ? [...existing].filter(isUserKeyspace).sort() : wanted
	const missing = found.keyspaces.filter((keyspace) => !existing.has(keyspace))
	if (missing.length > 0 || existing.size === 0) throw unknownKeyspaces(missing, dataDirectories, [...existing])
	found.tables = [...tables.values()].sort((a, b) => (a.keyspace + a.table < b.keyspace + b.table ? -1 : 1))
	return found
}

/** Whether a folder's name is a keyspace's, and none of Cassandra's own. */
export function isUserKeyspace(name: string): boolean {
	return /^\w+$/.test(name) && !SYSTEM_KEYSPACES.has(name)
}

function unknownKeyspaces(missing: string[], dataDirectories: string[], existing: string[]) {
	const names = missing.length > 0 ? missing.map((name) => JSON.stringify(name)).join(', ') : 'at all'
	const there = existing.filter((name) => /^\w+$/.test(name)).sort()
	return usageError(
		`no keyspace ${names} in ${dataDirectories.join(', ')}`,
		there.length > 0
			? `These keyspaces are there: ${there.join(', ')}.`
			: 'Not even Cassandra’s own are there: does -d name the folder that holds Cassandra’s "data" (or --data-dir one of its data_file_directories)?',
	)
}

function openDataDirectory(path: string): Io<number> {
	return onDataDirectory(path, open(pathOf(path), constants.O_RDONLY | constants.O_DIRECTORY))
}

function* onDataDirectory<T>(path: string, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (hasCode(error) && !USERS_MATTER.includes(error.code ?? ''))
			throw failure(
				`can’t read the data directory ${path}: ${error.message}`,
				'Look in the kernel’s log for errors of that disk.',
				error,
			)
		const why = hasCode(error, 'ENOENT')
			? 'does not exist'
			: hasCode(error, 'ENOTDIR')
				? 'is not a directory'
				: hasCode(error, 'EACCES')
					? 'may not be read by this user'
					: `can’t be opened (${hasCode(error) ? error.code : String(error)})`
		throw usageError(
			`the data directory ${path} ${why}`,
			'Give the folder above Cassandra’s "data" with -d, each data directory with --data-dir, or --cassandra-yaml.',
		)
	}
}

/** What another path, or another user, would mend. */
const USERS_MATTER = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']

/** Names of what is a folder, or a link that may lead to one. */
function* foldersIn(folder: number): Io<string[]> {
	const folders: string[] = []
	for (const name of yield* namesIn(folder)) {
		const entry = yield* lstatIfThere(below(folder, name))
		if (entry?.isDirectory() || entry?.isSymbolicLink()) folders.push(name)
	}
	return folders
}

interface Search {
	folder: number
	dataDirectory: string
	keyspace: string
	tables: Map<string, TableLocation>
	troubles: string[]
}

function* addTables({ folder, dataDirectory, keyspace, tables, troubles }: Search): Io<void> {
	try {
		const inner = yield* openFolderOrOwnLink(folder, keyspace)
		if (inner === undefined) return
		try {
			if (!(yield* stat(inner)).isDirectory()) return
			for (const table of yield* foldersIn(inner)) {
				const key = `${keyspace}/${table}`
				const known = tables.get(key)
				if (known) known.dataDirectories.push(dataDirectory)
				else tables.set(key, { keyspace, table, dataDirectories: [dataDirectory] })
			}
		} finally {
			yield* close(inner)
		}
	} catch (error) {
		if (!(error instanceof Error)) throw error
		troubles.push(`${dataDirectory}/${keyspace} can’t be read: ${error.message}`)
	}
}

/** The name of a table, its folder's without the id (folders made before Cassandra 2.1 have none). */
export function tableName(folder: string): string {
	return folder.replace(/-[0-9a-f]{32}$/, '')
}
