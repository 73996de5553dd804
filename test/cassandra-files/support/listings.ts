import type { Manifest } from '../../../src/cassandra/manifest.ts'
import type { SnapshotFile, SnapshotListing } from '../../../src/cassandra/snapshot.ts'

const NS_PER_MS = 1_000_000n

/** A file as a look finds it; its inode follows from its path. */
export function file(path: string, changes: Partial<SnapshotFile> = {}): SnapshotFile {
	return {
		path,
		size: 100,
		mtimeNs: 1000n * NS_PER_MS,
		ino: BigInt([...path].reduce((sum, character) => sum * 31 + character.charCodeAt(0), 7)),
		dev: 1n,
		mode: 0o644,
		uid: 0,
		gid: 0,
		directory: 0,
		...changes,
	}
}

export interface Listed {
	/** Paths, or files as they are. */
	files: (string | SnapshotFile)[]
	/** When all of it last changed, ms since the epoch. */
	changedMs?: number
	manifest?: SnapshotListing['manifest']
	conflicts?: string[]
	leftOut?: SnapshotListing['leftOut']
	superseded?: SnapshotFile[]
}

/** What a look at one data directory finds. */
export function listing({ files, changedMs = 1000, ...rest }: Listed): SnapshotListing {
	const mtimeNs = BigInt(changedMs) * NS_PER_MS
	return {
		dataDirectories: ['/data'],
		parents: [{ keyspace: { ino: '3', bornNs: '1' }, table: { ino: '2', bornNs: '1' } }],
		folders: [{ path: '', ino: 1n, mtimeNs, mode: 0o755, uid: 0, gid: 0, directory: 0 }],
		files: files.map((one) => (typeof one === 'string' ? file(one, { mtimeNs }) : one)),
		superseded: [],
		conflicts: [],
		leftOut: [],
		manifest: undefined,
		merged: [],
		...rest,
	}
}

/** The components of an SSTable that load it, by what their names begin with. */
export function sstable(prefix: string): string[] {
	const index = prefix.includes('-bti-') ? ['Partitions.db', 'Rows.db'] : ['Index.db']
	return ['Data.db', 'Statistics.db', ...index].map((component) => prefix + component)
}

/** A snapshot with all that proves it settled. */
export function wholeListing(prefixes = ['nb-1-big-'], changes: Partial<Listed> = {}): SnapshotListing {
	const manifest: Manifest = { files: prefixes.map((prefix) => `${prefix}Data.db`), ephemeral: false }
	return listing({ files: [...prefixes.flatMap(sstable), 'manifest.json', 'schema.cql'], manifest, ...changes })
}
