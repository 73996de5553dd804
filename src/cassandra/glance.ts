import { constants } from '../files/builtins.ts'
import { below, namesIn } from '../files/folders.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { type Name, pathOf } from '../files/names.ts'
import { close, lstatIfThere, open, stat } from '../files/operations.ts'
import { isUserKeyspace } from './find-tables.ts'
import { backupIndexesKey, glanceAtLive, indexesKey, type LiveGlance, type WantedSSTables } from './glance-at-live.ts'
import { glanceAtTags } from './glance-at-tags.ts'
import { openFolderOrOwnLink, type TableLocation } from './list-snapshot.ts'
import { forgetBut, rememberedNames } from './remembered-names.ts'

/** What a glance found of a table. */
export interface TableGlance {
	location: TableLocation
	/** Another one whenever a tag's folder has appeared, gone, been replaced or changed its mtime, in any data directory. */
	mark: string
	/** The youngest mtime of `snapshots/` and of the tags' folders, ms since the epoch; 0 where there are none. */
	changedMs: number
	/** How many folders a watch of the table takes: its own, `snapshots/` and the tags', in all data directories. */
	folders: number
	/** The folders of its live SSTables and backups that are asked for, over all data directories; undefined where none are. */
	live?: LiveGlance
}

/** What a glance found in the data directories. */
export interface Glance {
	tables: TableGlance[]
	/** The wanted keyspaces that one data directory or more has. */
	keyspaces: string[]
	/** Their folders. Another identity at the same path is another folder: it was replaced, or another disk is mounted. */
	folders: KeyspaceFolder[]
	/** Data directories, and keyspaces' folders in those that are there, that are missing or can't be read. */
	missing: { path: string; reason: string }[]
	/** The data directories that are there. */
	dataDirectories: string[]
}

/** A keyspace's folder in one data directory. */
export interface KeyspaceFolder {
	dataDirectory: string
	keyspace: string
	/** Device and inode. */
	identity: string
}

/** The reason for what is just not there. */
export const NOT_THERE = 'does not exist'

/**
 * Looks at the folders of all snapshots of these keyspaces (`'all'`: every one but Cassandra's own), and at no file of
 * any. What is missing or can't be read is told, and the rest goes on; nothing that the disks hold makes it fail. It is
 * quick where little has changed, since the thread remembers the tags' names from one glance to the next.
 */
export function* glanceAtTables(
	dataDirectories: string[],
	wanted: string[] | 'all',
	sstables: WantedSSTables = { live: false, backups: false },
): Io<Glance> {
	const sight: Sight = { sstables, tables: new Map(), paths: new Set(), folders: [], missing: [] }
	const there: string[] = []
	for (const dataDirectory of dataDirectories) {
		const looked = yield* orMissing(sight, dataDirectory, lookIntoDataDirectory(sight, dataDirectory, wanted))
		if (looked) there.push(dataDirectory)
	}
	forgetBut(sight.paths)
	const keyspaces = [...new Set(sight.folders.map(({ keyspace }) => keyspace))].sort()
	for (const dataDirectory of there) {
		for (const keyspace of wanted === 'all' ? keyspaces : wanted) {
			if (isSeen(sight, dataDirectory, keyspace)) continue
			sight.missing.push({ path: `${dataDirectory}/${keyspace}`, reason: NOT_THERE })
		}
	}
	const { folders, missing } = sight
	return { tables: [...sight.tables.values()], keyspaces, folders, missing, dataDirectories: there }
}

/** A glance that need not be told again where all is as it was. */
export interface NewGlance {
	/** Undefined where it would be the one that had this digest before. */
	glance?: Glance
	/** Of all that the glance saw. */
	digest: string
}

/** glanceAtTables, given only where it differs from the one with this digest: a thousand tables are much to hand over. */
export function* glanceAnew(
	dataDirectories: string[],
	wanted: string[] | 'all',
	sstables: WantedSSTables,
	known?: string,
): Io<NewGlance> {
	const glance = yield* glanceAtTables(dataDirectories, wanted, sstables)
	const digest = digestOf(glance)
	return digest === known ? { digest } : { digest, glance }
}

function digestOf({ tables, ...rest }: Glance): string {
	const { createHash } = process.getBuiltinModule('node:crypto')
	const hash = createHash('sha1').update(JSON.stringify(rest))
	for (const { location, mark, live } of tables) {
		hash.update(`\0\0${location.keyspace}/${location.table}${mark}\0\0${live?.mark ?? ''}`)
	}
	return hash.digest('hex')
}

interface Sight {
	/** The folders of SSTables that are glanced at too. */
	sstables: WantedSSTables
	tables: Map<string, TableGlance>
	/** The keyspaces' and tables' folders in all data directories. */
	paths: Set<string>
	folders: KeyspaceFolder[]
	missing: Glance['missing']
}

function isSeen({ folders, missing }: Sight, dataDirectory: string, keyspace: string): boolean {
	return (
		folders.some((folder) => folder.dataDirectory === dataDirectory && folder.keyspace === keyspace) ||
		missing.some(({ path }) => path === `${dataDirectory}/${keyspace}`)
	)
}

/** False, and told, where a system call fails. */
function* orMissing(sight: Sight, path: string, work: Io<void>): Io<boolean> {
	try {
		yield* work
		return true
	} catch (error) {
		if (!hasCode(error)) throw error
		sight.missing.push({ path, reason: reasonOf(error) })
		return false
	}
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
	if (code === 'ENOENT') return NOT_THERE
	if (code === 'ENOTDIR') return 'is not a directory'
	if (code === 'EACCES') return 'may not be read by this user'
	// A link of somebody else's, and what the kernel says.
	return `can’t be read: ${message}`
}

function* lookIntoDataDirectory(sight: Sight, dataDirectory: string, wanted: string[] | 'all'): Io<void> {
	const folder = yield* open(pathOf(dataDirectory), constants.O_RDONLY | constants.O_DIRECTORY)
	try {
		const keyspaces = wanted === 'all' ? (yield* namesIn(folder)).filter(isUserKeyspace) : wanted
		for (const keyspace of keyspaces) {
			if (wanted === 'all' && (yield* lstatIfThere(below(folder, keyspace)))?.isFile()) continue
			const look = lookIntoKeyspace(sight, folder, dataDirectory, keyspace)
			yield* orMissing(sight, `${dataDirectory}/${keyspace}`, look)
		}
	} finally {
		yield* close(folder)
	}
}

function* lookIntoKeyspace(sight: Sight, parent: number, dataDirectory: string, keyspace: string): Io<void> {
	const folder = yield* openFolderOrOwnLink(parent, keyspace)
	if (folder === undefined) return
	try {
		const path = `${dataDirectory}/${keyspace}`
		const found = yield* stat(folder)
		const entries = yield* rememberedNames(path, found, () => entriesIn(folder))
		sight.paths.add(path)
		sight.folders.push({ dataDirectory, keyspace, identity: `${found.dev}:${found.ino}` })
		// Each on its own: a call within fewer generators is quicker.
		const glances = yield* each(entries, TABLES_IN_FLIGHT, (one) => glanceAtTags(folder, atPath(path, one)))
		const { sstables } = sight
		const lives =
			sstables.live || sstables.backups
				? yield* each(entries, TABLES_IN_FLIGHT, (one) => glanceAtLive(folder, atPath(path, one), sstables))
				: []
		for (const [at, tags] of glances.entries()) {
			if (tags) addTable(sight, { dataDirectory, keyspace, table: entries[at]?.table ?? '' }, tags, lives[at])
		}
	} finally {
		yield* close(folder)
	}
}

const TABLES_IN_FLIGHT = 16

function atPath(keyspace: string, { table, isLink }: { table: Name; isLink: boolean }) {
	return { table, isLink, path: `${keyspace}/${table}` }
}

/** What is, or may be, a table. */
function* entriesIn(keyspace: number): Io<{ table: Name; isLink: boolean }[]> {
	const entries: { table: Name; isLink: boolean }[] = []
	for (const table of yield* namesIn(keyspace)) {
		const entry = yield* lstatIfThere(below(keyspace, table))
		const isLink = entry?.isSymbolicLink() ?? false
		if (isLink || entry?.isDirectory()) entries.push({ table, isLink })
	}
	return entries
}

function addTable(
	{ tables, paths }: Sight,
	{ dataDirectory, keyspace, table }: { dataDirectory: string; keyspace: string; table: string },
	tags: Pick<TableGlance, 'mark' | 'changedMs' | 'folders'>,
	live: LiveGlance | undefined,
): void {
	const key = `${keyspace}/${table}`
	const known: TableGlance = tables.get(key) ?? {
		location: { keyspace, table, dataDirectories: [] },
		mark: '',
		changedMs: 0,
		folders: 0,
	}
	known.location.dataDirectories.push(dataDirectory)
	// Nothing has a NUL in its name: no two states have one mark.
	known.mark += `\0${dataDirectory}\0${tags.mark}`
	known.changedMs = Math.max(known.changedMs, tags.changedMs)
	known.folders += tags.folders
	if (live) known.live = unite(known.live, dataDirectory, live)
	tables.set(key, known)
	paths.add(`${dataDirectory}/${key}`)
	paths.add(indexesKey(`${dataDirectory}/${key}`))
	paths.add(backupIndexesKey(`${dataDirectory}/${key}`))
}

function unite(known: LiveGlance | undefined, dataDirectory: string, live: LiveGlance): LiveGlance {
	return {
		mark: `${known?.mark ?? ''}\0${dataDirectory}\0${live.mark}`,
		changedMs: Math.max(known?.changedMs ?? 0, live.changedMs),
	}
}
