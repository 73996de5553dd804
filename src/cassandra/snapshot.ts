import type { ParentIdentities } from './folder-identity.ts'
import type { Manifest } from './manifest.ts'

/** A regular file of a snapshot, as the node has it. */
export interface SnapshotFile {
	/** Within the tag's folder: `nb-7-big-Data.db`, `.by_city/nb-1-big-Data.db`. */
	path: string
	/** Bytes. */
	size: number
	mtimeNs: bigint
	ino: bigint
	dev: bigint
	/** Permission bits. */
	mode: number
	uid: number
	gid: number
	/** Which data directory holds it: an index into SnapshotListing.dataDirectories. */
	directory: number
}

/** A folder of a snapshot in one data directory. */
export interface SnapshotFolder {
	/** Within the tag's folder: `''` for itself, `.by_city`. */
	path: string
	ino: bigint
	mtimeNs: bigint
	mode: number
	uid: number
	gid: number
	directory: number
}

/** Something in a snapshot that is not mirrored: a symbolic link, a FIFO, a socket, a device. */
interface LeftOut {
	path: string
	kind: string
}

/** All that one look finds of a table's snapshot, over all data directories. */
export interface SnapshotListing {
	/** The data directories that have a folder for the tag. */
	dataDirectories: string[]
	/** The folders that it lies in, one for each of them. */
	parents: ParentIdentities[]
	folders: SnapshotFolder[]
	/** One of each path; of manifest.json and schema.cql the latest. */
	files: SnapshotFile[]
	/** The others of a path that several data directories hold: an earlier manifest.json or schema.cql, the same file twice. */
	superseded: SnapshotFile[]
	/** Paths of which two data directories hold different files. */
	conflicts: string[]
	leftOut: LeftOut[]
	/** What the manifests say together, or why that can't be known yet; undefined where there is none. */
	manifest: Manifest | { problem: string; hopeless: boolean } | undefined
	/** Several data directories hold manifest.json or schema.cql with other bytes: which of the two. */
	merged: string[]
}

/** The marker of an ephemeral snapshot up to Cassandra 4.1. */
export const EPHEMERAL_MARKER = 'ephemeral.snapshot'
export const MANIFEST = 'manifest.json'
export const SCHEMA = 'schema.cql'

/** Cassandra's own keyspaces: their snapshots have no schema.cql. */
export const SYSTEM_KEYSPACES: ReadonlySet<string> = new Set([
	'system',
	'system_schema',
	'system_auth',
	'system_traces',
	'system_distributed',
	'system_views',
	'system_virtual_schema',
	'system_cluster_metadata',
	'system_accord',
])

/** The ns since the epoch at which anything of the snapshot last changed, as far as times tell. */
export function youngestChangeNs(listing: SnapshotListing): bigint {
	let youngest = 0n
	for (const { mtimeNs } of listing.folders) if (mtimeNs > youngest) youngest = mtimeNs
	for (const { mtimeNs } of [...listing.files, ...listing.superseded]) if (mtimeNs > youngest) youngest = mtimeNs
	return youngest
}

/** Whether two looks found the very same: folders, names, inodes, sizes and times. The first difference, in words. */
export function difference(before: SnapshotListing, after: SnapshotListing): string | undefined {
	return (
		differenceOf('folder', before.folders, after.folders, isSameFolder) ??
		differenceOf('file', before.files, after.files, isSameFile) ??
		differenceOf('file', before.superseded, after.superseded, isSameFile)
	)
}

const isSameFolder = (one: SnapshotFolder, other: SnapshotFolder) =>
	one.directory === other.directory && one.ino === other.ino && one.mtimeNs === other.mtimeNs
const isSameFile = (one: SnapshotFile, other: SnapshotFile) =>
	one.directory === other.directory &&
	one.dev === other.dev &&
	one.ino === other.ino &&
	one.size === other.size &&
	one.mtimeNs === other.mtimeNs

function differenceOf<T extends { path: string; directory: number }>(
	kind: string,
	before: T[],
	after: T[],
	isSame: (one: T, other: T) => boolean,
): string | undefined {
	// Most often nothing has changed, nor the order in which the folder gives its names.
	if (before.length === after.length && before.every((one, at) => isSameEntry(one, after[at] as T, isSame)))
		return undefined
	const known = new Map(before.map((entry) => [`${entry.directory}/${entry.path}`, entry]))
	for (const entry of after) {
		const key = `${entry.directory}/${entry.path}`
		const was = known.get(key)
		if (was === undefined) return `${kind} ${JSON.stringify(entry.path)} is new`
		if (!isSame(was, entry)) return `${kind} ${JSON.stringify(entry.path)} has changed`
		known.delete(key)
	}
	const [gone] = known.values()
	return gone && `${kind} ${JSON.stringify(gone.path)} is gone`
}

function isSameEntry<T extends { path: string }>(one: T, other: T, isSame: (one: T, other: T) => boolean): boolean {
	return one === other || (one.path === other.path && isSame(one, other))
}
