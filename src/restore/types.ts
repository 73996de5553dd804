import type { CqlPlace } from '../cassandra/cql-place.ts'
import type { Nodetool } from '../cassandra/nodetool.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { Selection } from '../mirror/read-catalog.ts'
import type { When } from './choose.ts'
import type { OtherTable, TablePlace } from './places.ts'
import type { SchemaWay } from './schema-target.ts'
import type { Disk } from './spread.ts'

/** What is to be restored. */
export interface ChooseOptions {
	when: When
	/** By the keyspace and the table's name without its id. */
	wantsTable: Selection['wantsTable']
	/** Whether a table is asked for by its own name, not as one of its keyspace. */
	isNamed: (keyspace: string, name: string) => boolean
	/** Take snapshots that were damaged at the source, and leave out SSTables that are damaged in the haven. */
	acceptDamaged: boolean
	/** Add the incremental backups up to this time, ms since the epoch. */
	backupsUntilMs?: number
	/** The one table that is chosen is restored as this one. */
	as?: OtherTable
	/** The node's data directories, absolute, where it is to be loaded into that. */
	dataDirectories?: string[]
}

/** A restore to a folder. */
export interface RestoreOptions extends ChooseOptions {
	/** The folder that it goes to, absolute. */
	to: string
	/** Share the haven's files in place of copying them, for a look inside. */
	link: boolean
}

/** A restore into a running node. */
export interface ImportOptions extends ChooseOptions {
	dataDirectories: string[]
	nodetool: Nodetool
	/** By what tables are made that the node lacks; undefined where they are not to be. */
	making: SchemaWay | undefined
	/** Where the node's schema can be looked at, to be held against the snapshots'. */
	cql: CqlPlace | undefined
	/** Count each table's rows before and after, over `cql`. */
	countRows: boolean
}

/** A restore into the live folders of a stopped node. */
export interface OfflineOptions extends ChooseOptions {
	dataDirectories: string[]
	/** Move what is there aside, in place of adding to it. */
	replace: boolean
}

/** A table that is to be restored. */
export interface PlannedTable {
	head: SealedHead
	place: TablePlace
	/** An earlier run restored it, and it is there still; or the node has all of its SSTables. */
	isThere: boolean
}

/** A table that is not restored, and why. */
export interface Refusal {
	keyspace: string
	/** Without the id. */
	name: string
	reason: string
	/** It is damage, not a circumstance. */
	isDamage: boolean
	/** The node has no such table: the snapshot whose schema.cql makes it. */
	lacking?: SealedHead
}

/** What a restore is going to do. */
export interface RestorePlan {
	tables: PlannedTable[]
	refused: Refusal[]
	/** What an operator should know before, each a sentence. */
	warnings: string[]
	/** Bytes that are still to be written, and those that are free for them. */
	bytesNeeded: number
	bytesFree: number
	/** The same for each data directory, where it is spread over them. */
	disks?: Disk[]
}

/** A table's rows before and after it was restored, or why they could not be counted. */
export type RowCounts = { before: number; after: number } | { problem: string }

/** What a restore tells as it goes on. */
export type RestoreEvent =
	| { type: 'restored'; table: PlannedTable; leftOut: string[]; rows?: RowCounts }
	| { type: 'refused'; refusal: Refusal; damage: { path: string; reason: string }[]; table: PlannedTable }
	| { type: 'damaged file'; table: PlannedTable; path: string; reason: string }
	/** What was live of it is in this folder now. */
	| { type: 'replaced'; table: PlannedTable; folder: string }
	| { type: 'progress'; bytes: number }
