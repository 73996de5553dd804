import type { Name } from '../files/names.ts'
import type { ReplicaText } from './transaction-log.ts'

/** A table's folders in all data directories as they were at one instant, and its transaction logs. */
export interface LiveListing {
	/** The table's folder, `<name>-<id>`. */
	table: string
	/** Absolute paths of the data directories that have it. */
	dataDirectories: string[]
	folders: LiveFolder[]
}

/** One folder with live SSTables in one data directory. */
export interface LiveFolder {
	/** An index into LiveListing.dataDirectories. */
	directory: number
	/** Within the table's folder: `''` for itself, `.orders_customer` for that of a secondary index. */
	path: Name
	/** Components of SSTables. */
	files: LiveFile[]
	/** The replicas of logs that are here, by their names. */
	logs: Map<Name, ReplicaText>
	/** The text of TOC.txt, by its name, where nothing else tells whether the SSTable is compressed. */
	tocs: Map<Name, string>
}

/** A component of an SSTable. */
export interface LiveFile {
	name: Name
	/** Bytes. */
	size: number
	mtimeNs: bigint
	ino: bigint
	/** Whether it is a regular file. */
	isFile: boolean
}
