import { isUtf8 } from 'node:buffer'
import { failure, SnaphavenError } from '../errors.ts'
import { readWhole } from '../files/contents.ts'
import { below, namesIn, openFolderIfThere } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { Name } from '../files/names.ts'
import { close, lstat, type Stat, stat } from '../files/operations.ts'
import { identifyFolder, type ParentIdentities } from './folder-identity.ts'
import { openFolderOrOwnLink, openKeyspace, ownership, type TableLocation } from './list-snapshot.ts'
import type { LiveFile, LiveFolder, LiveListing } from './live-listing.ts'
import { needsToc } from './live-sstables.ts'
import { parseComponent } from './sstable.ts'
import type { ReplicaText } from './transaction-log.ts'
import { isLogName } from './transaction-record.ts'

const TRIES = 10
const LOG_BYTES_MAX = 64 * 1024 * 1024
const TOC_BYTES_MAX = 1024 * 1024

/** Which of a table's folders are looked at: those of its live SSTables, or those of its incremental backups. */
export type SSTableFolders = 'live' | 'backups'

/**
 * Looks at a table's live folders, or at those of its backups, in all data directories until two looks, one after the other, find the same names and
 * the same logs: so it was at the instant between them. Undefined where it changed all the time: try again later.
 * Writes nothing, and follows no link inside the table.
 */
export function* lookAtLive(location: TableLocation, which: SSTableFolders = 'live'): Io<LiveListing | undefined> {
	let before: Sight | undefined
	for (let left = TRIES; left > 0; left--) {
		const opened: OpenedFolder[] = []
		try {
			const parents = yield* openFolders(location, which, opened)
			const sight = yield* see(opened)
			if (before && isSame(sight, before)) return yield* measure(location, which, opened, sight, parents)
			before = sight
		} catch (error) {
			// What was listed has gone since.
			if (!hasCode(error, 'ENOENT')) throw unreadable(`${location.keyspace}/${location.table}`, error)
			before = undefined
		} finally {
			for (const { folder } of opened) yield* close(folder)
		}
	}
	return undefined
}

/** A folder that is open, in one data directory. */
interface OpenedFolder {
	dataDirectory: string
	/** Within the table's folder. */
	path: Name
	folder: number
}

/** What one look found in each of the folders that were open. */
type Sight = { key: string; own: Stat; names: Name[]; logs: Map<Name, ReplicaText> }[]

/** Opens the table's folders, and those of its secondary indexes; the caller closes what it finds in `opened`. */
function* openFolders(
	{ dataDirectories, keyspace, table }: TableLocation,
	which: SSTableFolders,
	opened: OpenedFolder[],
): Io<ParentIdentities[]> {
	const parents: ParentIdentities[] = []
	for (const dataDirectory of dataDirectories) {
		const parent = yield* openKeyspace(dataDirectory, keyspace)
		if (parent === undefined) continue
		let folder: number | undefined
		try {
			folder = yield* openFolderOrOwnLink(parent, table)
			if (folder === undefined) continue
			const identities = { keyspace: yield* identifyFolder(parent), table: yield* identifyFolder(folder) }
			if (which === 'backups') folder = yield* openBackups(folder)
			if (folder === undefined) continue
			opened.push({ dataDirectory, path: '', folder })
			parents.push(identities)
		} finally {
			yield* close(parent)
		}
		for (const path of yield* namesIn(folder)) {
			const index = path.startsWith('.') ? yield* openIndex(folder, path) : undefined
			if (index !== undefined) opened.push({ dataDirectory, path, folder: index })
		}
	}
	return parents
}

/** Opens `backups/` in place of the table's folder, which is closed; undefined where there is none. */
function* openBackups(table: number): Io<number | undefined> {
	try {
		return yield* openFolderIfThere(table, 'backups')
	} finally {
		yield* close(table)
	}
}

/** Undefined for what is no folder. */
function* openIndex(table: number, path: Name): Io<number | undefined> {
	try {
		return yield* openFolderIfThere(table, path)
	} catch (error) {
		if (hasCode(error, 'ENOTDIR', 'ELOOP')) return undefined
		throw error
	}
}

/**
 * The names first, then the logs: a log is there before the files that it names, and goes after those that it deletes.
 * Fails with ENOENT where a log has gone before it was read.
 */
function* see(opened: OpenedFolder[]): Io<Sight> {
	const sight: Sight = []
	for (const { dataDirectory, path, folder } of opened) {
		const own = yield* stat(folder)
		const names = (yield* namesIn(folder)).filter(isComponent).sort()
		sight.push({ key: `${dataDirectory}/${path}`, own, names, logs: new Map() })
	}
	for (const [at, { folder }] of opened.entries()) {
		for (const name of (yield* namesIn(folder)).filter(isLogName).sort()) {
			sight[at]?.logs.set(name, yield* readReplica(folder, name))
		}
	}
	return sight
}

/** What ends in `.tmp` is renamed to a component's name when it is whole, and deleted when Cassandra starts. */
function isComponent(name: Name): boolean {
	return !name.endsWith('.tmp') && parseComponent(name) !== undefined
}

function* readReplica(folder: number, name: Name): Io<ReplicaText> {
	try {
		const bytes = yield* readWhole(below(folder, name), LOG_BYTES_MAX)
		return isUtf8(bytes) ? bytes.toString('utf8') : { problem: 'it is not valid UTF-8' }
	} catch (error) {
		if (error instanceof RangeError) return { problem: `it is too large: ${error.message}` }
		if (hasCode(error, 'ELOOP', 'EINVAL', 'EISDIR')) return { problem: 'it is no regular file' }
		if (hasCode(error, 'EIO')) return { problem: 'it can’t be read (EIO)' }
		throw unreadable(name, error)
	}
}

function unreadable(name: Name, error: unknown): unknown {
	if (error instanceof SnaphavenError || !hasCode(error) || error.code === 'ENOENT') return error
	const hint = hasCode(error, 'EACCES', 'EPERM')
		? 'Run as a user who may read Cassandra’s data.'
		: 'Look at that folder, and in the kernel’s log for errors of that disk.'
	return failure(`can’t read ${JSON.stringify(name)} on the node (${error.code})`, hint, error)
}

function isSame(one: Sight, other: Sight): boolean {
	return (
		one.length === other.length &&
		one.every(({ key, names, logs }, at) => {
			const was = other[at]
			return (
				was?.key === key &&
				was.names.length === names.length &&
				was.names.every((name, index) => name === names[index]) &&
				was.logs.size === logs.size &&
				[...logs].every(([name, text]) => isSameText(text, was.logs.get(name)))
			)
		})
	)
}

function isSameText(one: ReplicaText, other: ReplicaText | undefined): boolean {
	if (typeof one === 'string' || typeof other === 'string') return one === other
	return one.problem === other?.problem
}

/** Looks at each file. Fails with ENOENT where one has gone. */
function* measure(
	location: TableLocation,
	which: SSTableFolders,
	opened: OpenedFolder[],
	sight: Sight,
	parents: ParentIdentities[],
): Io<LiveListing> {
	const dataDirectories = [...new Set(opened.map(({ dataDirectory }) => dataDirectory))]
	const folders: LiveFolder[] = []
	for (const [at, { dataDirectory, path, folder }] of opened.entries()) {
		const seen = sight[at]
		if (!seen) continue
		const { names, logs, own } = seen
		const files: LiveFile[] = []
		for (const name of names) {
			const entry = yield* lstat(below(folder, name), { bigint: true })
			const { mtimeNs, ino, dev } = entry
			files.push({ name, size: Number(entry.size), mtimeNs, ino, dev, isFile: entry.isFile(), ...ownership(entry) })
		}
		const tocs = yield* readTocs(folder, files, which)
		const itself = { ino: own.ino, mtimeNs: own.mtimeNs, ...ownership(own) }
		folders.push({ directory: dataDirectories.indexOf(dataDirectory), path, own: itself, files, logs, tocs })
	}
	return { table: location.table, dataDirectories, parents, folders }
}

function* readTocs(folder: number, files: LiveFile[], which: SSTableFolders): Io<Map<Name, string>> {
	const components = new Map<Name, Set<string>>()
	for (const { name } of files) {
		const { prefix = '', component = '' } = parseComponent(name) ?? {}
		const known = components.get(prefix) ?? new Set()
		components.set(prefix, known.add(component))
	}
	const tocs = new Map<Name, string>()
	for (const [prefix, known] of components) {
		if (which === 'live' && !needsToc(known)) continue
		const name = `${prefix}TOC.txt`
		const { isFile, size } = files.find((file) => file.name === name) ?? { isFile: false, size: 0 }
		if (!isFile || size > TOC_BYTES_MAX) continue
		tocs.set(name, (yield* readWhole(below(folder, name), TOC_BYTES_MAX)).toString('utf8'))
	}
	return tocs
}
