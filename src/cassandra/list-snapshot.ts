import { failure } from '../errors.ts'
import { constants } from '../files/builtins.ts'
import { readWhole } from '../files/contents.ts'
import { below, mountOf, namesIn, openFolder, openFolderIfThere } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, lstat, open, type Stat, stat } from '../files/operations.ts'
import { identifyFolder } from './folder-identity.ts'
import { type Manifest, parseManifest, uniteManifests } from './manifest.ts'
import { MANIFEST, SCHEMA, type SnapshotFile, type SnapshotFolder, type SnapshotListing } from './snapshot.ts'
import { isWrittenOnce } from './sstable.ts'

/** Where a table's folder is, in each data directory that has one. */
export interface TableLocation {
	keyspace: string
	/** The table's folder, `<name>-<id>`. */
	table: string
	/** Absolute paths of the data directories. */
	dataDirectories: string[]
}

const MANIFEST_BYTES_MAX = 64 * 1024 * 1024
const DEPTH_MAX = 8

/**
 * Opens a table's folder in one data directory; undefined where it is not there. A keyspace's or table's folder may be
 * a symbolic link only if the link belongs to root or to the user we run as.
 */
export function* openTable(dataDirectory: string, keyspace: string, table: string): Io<number | undefined> {
	const parent = yield* openKeyspace(dataDirectory, keyspace)
	if (parent === undefined) return undefined
	try {
		return yield* openFolderOrOwnLink(parent, table)
	} finally {
		yield* close(parent)
	}
}

/** Opens a keyspace's folder in one data directory; undefined where it is not there. Links as for openTable. */
export function* openKeyspace(dataDirectory: string, keyspace: string): Io<number | undefined> {
	let parent: number
	try {
		parent = yield* open(pathOf(dataDirectory), constants.O_RDONLY | constants.O_DIRECTORY)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
	try {
		return yield* openFolderOrOwnLink(parent, keyspace)
	} finally {
		yield* close(parent)
	}
}

/** Opens a folder, or what a link of root's or our own leads to; fails with EPERM where the link is somebody else's. */
export function* openFolderOrOwnLink(parent: number, name: string): Io<number | undefined> {
	try {
		return yield* openFolderIfThere(parent, name)
	} catch (error) {
		if (!hasCode(error, 'ELOOP', 'ENOTDIR')) throw error
		const link = yield* lstat(below(parent, name), { bigint: true })
		if (!link.isSymbolicLink()) throw error
		if (link.uid !== 0n && link.uid !== BigInt(process.geteuid?.() ?? 0)) throw foreignLink(name, link)
		const folder = yield* open(below(parent, name), constants.O_RDONLY | constants.O_DIRECTORY)
		const again = yield* lstat(below(parent, name), { bigint: true })
		if (again.ino === link.ino && again.ctimeNs === link.ctimeNs) return folder
		yield* close(folder)
		throw foreignLink(name, again)
	}
}

function foreignLink(name: string, link: Stat): Error {
	const message = `${JSON.stringify(name)} is a symbolic link of user ${link.uid}, which is neither root nor the user snaphaven runs as`
	return Object.assign(failure(message, 'If it is meant, give the link to root (chown -h root).'), { code: 'EPERM' })
}

/** The tag's folder within an opened table's; undefined where it is not there. */
export function* openTag(table: number, tag: string): Io<number | undefined> {
	const snapshots = yield* openFolderIfThere(table, 'snapshots')
	if (snapshots === undefined) return undefined
	try {
		return yield* openFolderIfThere(snapshots, tag)
	} finally {
		yield* close(snapshots)
	}
}

/**
 * Looks at a snapshot in all data directories; undefined where none has it. Writes nothing, follows no link inside the
 * table. With an earlier look, a file that Cassandra writes once is not looked at again as long as its folder is the
 * same, with the same time: it can't have become another.
 */
export function* listSnapshot(
	location: TableLocation,
	tag: string,
	before?: SnapshotListing,
): Io<SnapshotListing | undefined> {
	const earlier = before && indexOf(before)
	const listing: SnapshotListing = {
		dataDirectories: [],
		parents: [],
		folders: [],
		files: [],
		superseded: [],
		conflicts: [],
		leftOut: [],
		manifest: undefined,
		merged: [],
	}
	const manifests: ManifestFound[] = []
	const byPath = new Map<string, SnapshotFile>()
	for (const dataDirectory of location.dataDirectories) {
		const keyspace = yield* openKeyspace(dataDirectory, location.keyspace)
		if (keyspace === undefined) continue
		const directory = listing.dataDirectories.length
		try {
			yield* listBelow({ listing, manifests, byPath, directory, earlier }, keyspace, location.table, tag, dataDirectory)
		} finally {
			yield* close(keyspace)
		}
	}
	if (listing.dataDirectories.length === 0) return undefined
	listing.files = [...byPath.values()]
	listing.manifest = together(manifests)
	return listing
}

/** What one data directory has, from the keyspace's folder down. */
function* listBelow(look: Look, keyspace: number, name: string, tag: string, dataDirectory: string): Io<void> {
	const table = yield* openFolderOrOwnLink(keyspace, name)
	if (table === undefined) return
	try {
		const folder = yield* openTag(table, tag)
		if (folder === undefined) return
		try {
			look.listing.dataDirectories.push(dataDirectory)
			look.listing.parents.push({ keyspace: yield* identifyFolder(keyspace), table: yield* identifyFolder(table) })
			yield* listFolder(look, folder, '', 0)
		} finally {
			yield* close(folder)
		}
	} finally {
		yield* close(table)
	}
}

interface ManifestFound {
	mtimeNs: bigint
	manifest: ReturnType<typeof parseManifest>
}

interface Look {
	listing: SnapshotListing
	manifests: ManifestFound[]
	byPath: Map<string, SnapshotFile>
	directory: number
	earlier: Earlier | undefined
}

/** What an earlier look found in each data directory, by path. */
type Earlier = Map<string, { folders: Map<string, SnapshotFolder>; files: Map<string, SnapshotFile> }>

function indexOf({ dataDirectories, folders, files, superseded }: SnapshotListing): Earlier {
	const found = dataDirectories.map(() => ({
		folders: new Map<string, SnapshotFolder>(),
		files: new Map<string, SnapshotFile>(),
	}))
	for (const folder of folders) found[folder.directory]?.folders.set(folder.path, folder)
	for (const file of [...files, ...superseded])
		if (isWrittenOnce(file.path)) found[file.directory]?.files.set(file.path, file)
	return new Map(found.map((one, directory) => [dataDirectories[directory] ?? '', one]))
}

function* listFolder(look: Look, folder: number, path: string, depth: number): Io<void> {
	const found = yield* stat(folder)
	look.listing.folders.push({
		path,
		ino: found.ino,
		mtimeNs: found.mtimeNs,
		...ownership(found),
		directory: look.directory,
	})
	const earlier = look.earlier?.get(look.listing.dataDirectories[look.directory] ?? '')
	const was = earlier?.folders.get(path)
	const isSame = was?.ino === found.ino && was.mtimeNs === found.mtimeNs
	for (const name of (yield* unlessGone(path || 'its folder', namesIn(folder))) ?? []) {
		const inner = path === '' ? name : `${path}/${name}`
		const known = isSame ? earlier?.files.get(inner) : undefined
		if (known) {
			keep(look, known.directory === look.directory ? known : { ...known, directory: look.directory })
			continue
		}
		const entry = yield* lookAt(folder, name, inner)
		if (!entry) continue
		if (entry.isFile()) {
			if (inner === MANIFEST)
				look.manifests.push({ mtimeNs: entry.mtimeNs, manifest: yield* readManifest(folder, name) })
			keep(look, fileOf(look.directory, inner, entry))
		} else if (entry.isDirectory() && depth < DEPTH_MAX) yield* listInner(look, folder, name, inner, depth + 1)
		else look.listing.leftOut.push({ path: inner, kind: kindOf(entry) })
	}
}

function* listInner(look: Look, parent: number, name: string, path: string, depth: number): Io<void> {
	const folder = yield* unlessGone(path, openFolder(parent, name))
	if (folder === undefined) return
	try {
		// What is mounted there is somebody else's, however it looks: the table's own files, by a bind mount.
		if (mountOf(folder) === mountOf(parent)) yield* listFolder(look, folder, path, depth)
		else look.listing.leftOut.push({ path, kind: 'mount point' })
	} finally {
		yield* close(folder)
	}
}

function fileOf(directory: number, path: string, entry: Stat): SnapshotFile {
	const { mode, uid, gid } = ownership(entry)
	const { size, mtimeNs, ino, dev } = entry
	return { path, size: Number(size), mtimeNs, ino, dev, mode, uid, gid, directory }
}

/** One file of each path: of manifest.json and schema.cql the latest. */
function keep(look: Look, file: SnapshotFile): void {
	const { path } = file
	const other = look.byPath.get(path)
	if (!other) {
		look.byPath.set(path, file)
		return
	}
	const written = path === MANIFEST || path === SCHEMA
	if (written) look.listing.merged.push(path)
	else if (other.ino !== file.ino || other.dev !== file.dev) look.listing.conflicts.push(path)
	const later = written && file.mtimeNs >= other.mtimeNs
	if (later) look.byPath.set(path, file)
	look.listing.superseded.push(later ? other : file)
}

function* readManifest(folder: number, name: string): Io<ReturnType<typeof parseManifest>> {
	try {
		const bytes = yield* unlessGone(name, readWhole(below(folder, name), MANIFEST_BYTES_MAX))
		if (!bytes) return { problem: `${MANIFEST} has just gone`, hopeless: false }
		return parseManifest(bytes.toString('utf8'))
	} catch (error) {
		if (error instanceof RangeError) return { problem: `${MANIFEST} is too large: ${error.message}`, hopeless: true }
		throw error
	}
}

/** lstat as by unlessGone, with one generator less: it is called for each file. */
function* lookAt(folder: number, name: string, path: string): Io<Stat | undefined> {
	try {
		return yield* lstat(below(folder, name), { bigint: true })
	} catch (error) {
		return nothingIfGone(error, path)
	}
}

/** Undefined for what was cleared while it was looked at: the next look finds the difference. What can't be read is told. */
function* unlessGone<T>(path: string, work: Io<T>): Io<T | undefined> {
	try {
		return yield* work
	} catch (error) {
		return nothingIfGone(error, path)
	}
}

function nothingIfGone(error: unknown, path: string): undefined {
	if (hasCode(error, 'ENOENT')) return undefined
	if (!hasCode(error, 'EACCES', 'EPERM', 'EIO')) throw error
	const hint =
		error.code === 'EIO'
			? 'Look in the kernel’s log for errors of that disk.'
			: 'Run as a user who may read Cassandra’s data.'
	throw failure(`can’t read ${path} on the node (${error.code})`, hint, error)
}

function together(found: ManifestFound[]): SnapshotListing['manifest'] {
	const manifests: Manifest[] = []
	for (const { manifest } of found.sort((a, b) => Number(a.mtimeNs - b.mtimeNs))) {
		if ('problem' in manifest) return manifest
		manifests.push(manifest)
	}
	return uniteManifests(manifests)
}

/** Permission bits and owner. */
export function ownership(found: Stat): { mode: number; uid: number; gid: number } {
	return { mode: Number(found.mode) & 0o7777, uid: Number(found.uid), gid: Number(found.gid) }
}

function kindOf(entry: Stat): string {
	if (entry.isSymbolicLink()) return 'symbolic link'
	if (entry.isFIFO()) return 'FIFO'
	if (entry.isSocket()) return 'socket'
	if (entry.isDirectory()) return 'folder too deep'
	return 'device'
}
