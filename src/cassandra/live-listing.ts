import type { Name } from '../files/names.ts'
import type { ParentIdentities } from './folder-identity.ts'
import type { ReplicaText } from './transaction-log.ts'

/** A table's folders in all data directories as they were at one instant, and its transaction logs. */
export interface LiveListing {
	/** The table's folder, `<name>-<id>`. */
	table: string
	/** Absolute paths of the data directories that have it. */
	dataDirectories: string[]
	/** The keyspace's and the table's folder in each of them. */
	parents: ParentIdentities[]
	folders: LiveFolder[]
}

/** One folder with live SSTables in one data directory. */
export interface LiveFolder {
	/** An index into LiveListing.dataDirectories. */
	directory: number
	/** Within the table's folder, or its `backups/`: `''` for itself, `.orders_customer` for that of a secondary index. */
	path: Name
	/** The folder itself, as it was before its names were read. */
	own: { ino: bigint; mtimeNs: bigint } & Ownership
	/** Components of SSTables. */
	files: LiveFile[]
	/** The replicas of logs that are here, by their names. */
	logs: Map<Name, ReplicaText>
	/** The text of TOC.txt, by its name, where nothing else tells whether the SSTable is compressed; of backups all. */
	tocs: Map<Name, string>
}

/** Permission bits and owner. */
interface Ownership {
	mode: number
	uid: number
	gid: number
}

/** A component of an SSTable. */
export interface LiveFile extends Ownership {
	name: Name
	/** Bytes. */
	size: number
	mtimeNs: bigint
	ino: bigint
	dev: bigint
	/** Whether it is a regular file. */
	isFile: boolean
}
