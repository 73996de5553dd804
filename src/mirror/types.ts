import type { CqlPlace } from '../cassandra/cql-place.ts'
import type { Nodetool } from '../cassandra/nodetool.ts'
import type { GoodCopy } from '../haven/good-copies.ts'

/** Who is asked for what a restore needs besides SSTables: CQL before nodetool. */
export interface FactsSource {
	cql?: CqlPlace
	nodetool?: Nodetool
}

/** What a pass over the node is asked to do (`sync`), after the command line was understood and checked. */
export interface SyncOptions {
	/** Absolute paths of the data directories, the `data_file_directories` of cassandra.yaml. */
	dataDirectories: string[]
	/** Names of the keyspaces, as on disk; `'all'` means every one but Cassandra's own. */
	keyspaces: string[] | 'all'
	/** Absolute path of the haven, `{host}` and its kin already filled in. */
	haven: string
	/** Where this node remembers which haven it saw at which path. */
	stateDirectory: string
	/** Whether a tag is to be mirrored (`--snapshot-regex`). */
	matchesTag: (tag: string) => boolean
	/** Whether a table, by its name without its id, is to be mirrored (`--include-table`, `--exclude-table`). */
	matchesTable: (table: string) => boolean
	/** Take also what was on the node when a keyspace was first kept. */
	fullsync: boolean
	/** Who is asked for the node's facts with each new tag; nobody where neither is given. */
	facts: FactsSource
	/** Delete each snapshot on the node once its seal is durable. */
	move: boolean
	/** Remove from the haven what was cleared on the node, but not within so many ms of its seal. */
	mirrorDeletes: { graceMs: number } | undefined
	/** Mirror the live SSTables too (`--sync-sstables`). */
	live: boolean
	/** Keep for so many days what goes from live sets; undefined: it is deleted at once (`--keep-deleted`). */
	keepDeletedDays: number | undefined
	/** Mirror incremental backups too (`--backups`). */
	backups: boolean
	/** Delete them on the node, so many ms after their seal (`--prune-backups`); undefined: not at all. */
	pruneBackups: { afterMs: number } | undefined
	/** Share the node's blocks by hard links where Cassandra never changes the file. */
	hardlink: boolean
	/** Say what would be done, and touch nothing. */
	dryRun: boolean
	/** How long a snapshot without a complete manifest must have been quiet, in ms (`--settle-time`). */
	settleMs: number
	/** Read no more than so many bytes a second of the node's files (`--limit-rate`). */
	limitRate?: number | undefined
	/** Make a new haven even where one was known and is not seen now (`--new-haven`). */
	newHaven: boolean
	/** Begin a haven only where something is mounted, not on the system's own file system (`--require-mount`). */
	requireMount: boolean
	/** Take a haven over from another node (`--take-over`). */
	takeOver: boolean
}

/** What a service is asked to do. */
export interface ServiceOptions extends SyncOptions {
	/** How often the disk is looked at for what no hint told, in ms (`--sweep-interval`). */
	sweepMs: number
}

/** Names one table, over all data directories. */
export interface TableName {
	keyspace: string
	/** The table's folder, `<name>-<32 hex of its id>`. */
	table: string
}

/** Names one snapshot: one table's, of one tag, over all data directories. Names are as on disk (see cassandra/names). */
export interface SnapshotName {
	keyspace: string
	/** The table's folder, `<name>-<32 hex of its id>`. */
	table: string
	tag: string
}

/** How proven a sealed snapshot is (docs/haven-format.md, `state`). */
export type SealState = 'whole' | 'damaged' | 'unproven'

/** A number of files and their bytes. */
export interface Amount {
	files: number
	bytes: number
}

/** How the files of a snapshot came, or would come, to the haven. */
export interface TransferAmounts {
	copied: Amount
	hardlinked: Amount
	reflinked: Amount
	/** Linked to, or where the haven cannot link copied from, what it already has for that table. */
	reused: Amount
}

/** What a pass tells while it runs. */
export type SyncEvent =
	/** The snapshot is whole, checked and durable in the haven. `damage` names the files that were damaged on the node. */
	| ({
			type: 'sealed'
			snapshot: SnapshotName
			state: SealState
			damage: FileDamage[]
			replaced: boolean
	  } & TransferAmounts)
	/** The snapshot was sealed as damaged before, and nothing has changed since: nothing was done. */
	| { type: 'damaged'; snapshot: SnapshotName }
	/** `--dry-run`: the snapshot would be sealed so. */
	| ({ type: 'planned'; snapshot: SnapshotName; replaced: boolean } & TransferAmounts)
	/** `--move-snapshots`: the snapshot is gone from the node, after its seal. */
	| { type: 'moved'; snapshot: SnapshotName }
	/** `--move-snapshots`: the snapshot was left on the node, and why. */
	| { type: 'kept'; snapshot: SnapshotName; reason: string }
	/** `--mirror-deletes`: the snapshot is gone from the haven, after it was cleared on the node; so many bytes are free. */
	| { type: 'removed'; snapshot: SnapshotName; bytes: number }
	/** A service that was asked to by `prune`: the snapshot is gone from the haven; so many bytes are free. */
	| { type: 'pruned'; snapshot: SnapshotName; bytes: number }
	/** A service that was asked to by `adopt`: a copy that was in the mirror has its receipt. */
	| ({ type: 'adopted'; snapshot: SnapshotName; state: SealState } & Amount)
	/** A service that was asked to by `verify --repair`. */
	| Repaired
	/** `--mirror-deletes` and `--dry-run`: the snapshot would be removed from the haven. */
	| { type: 'removable'; snapshot: SnapshotName }
	/** A table's live set in the haven is that of the node: so many SSTables, of which so many came and went now. */
	| ({ type: 'live'; table: TableName } & LiveCount & TransferAmounts)
	/** `--dry-run`: the same would be done. */
	| ({ type: 'livePlanned'; table: TableName } & LiveCount & TransferAmounts)
	/** A table's live set in the haven stays as it is, though SSTables are gone from the node, and why. */
	| { type: 'liveKept'; table: TableName; because: 'dropped' | 'in doubt'; reason: string }
	/** What is live on the node is damaged, and in what: exit code 3. */
	| { type: 'liveDamaged'; table: TableName; reason: string }
	/** Incremental backups came to the haven: so many SSTables. */
	| ({ type: 'backups'; table: TableName; sstables: number } & TransferAmounts)
	/** `--dry-run`: so many would come. */
	| ({ type: 'backupsPlanned'; table: TableName; sstables: number } & TransferAmounts)
	/** An SSTable in `backups/` on the node is damaged, and in what: exit code 3. */
	| { type: 'backupsDamaged'; table: TableName; reason: string }
	/** `--prune-backups`: so many SSTables are gone from `backups/` on the node (`dryRun`: would be). */
	| ({ type: 'backupsPruned'; table: TableName; sstables: number; dryRun: boolean } & Amount)
	/** `--prune-backups`: SSTables were left there, and why. */
	| { type: 'backupsKept'; table: TableName; reason: string }
	/** The snapshot is not sealed, and why: the pass ends with exit code 1. */
	| { type: 'failed'; snapshot: SnapshotName; reason: string }
	/** The snapshot is left out on purpose (ephemeral, vanished meanwhile). */
	| { type: 'skipped'; snapshot: SnapshotName; reason: string }
	/**
	 * The snapshot is not settled yet, and what is missing. Told once, when it begins to be waited for; a dry run does not
	 * wait longer than that.
	 */
	| { type: 'waiting'; snapshot: SnapshotName; reason: string }
	/** Something that is not a whole snapshot's matter and does not change the exit code (a link left out, no hard links). */
	| { type: 'warning'; message: string /** It stays so: a service tells it once. */; standing?: true }
	/** Something that could not be done and is not one snapshot's (a table that can't be read): exit code 1. */
	| { type: 'trouble'; message: string; snapshot?: SnapshotName }
	/** A keyspace is kept from now on; so many snapshots of it that were there before are left alone. */
	| { type: 'begun'; keyspace: string; leftAlone: number }
	/** A service: a trouble that was told of is over. */
	| { type: 'recovered'; message: string }
	/** How far the pass is; told at most ten times a second. */
	| { type: 'progress'; progress: Progress }

/** A damaged file of the haven, under each of its names, has a good copy in its place. */
export interface Repaired {
	type: 'repaired'
	/** Relative to the haven. */
	paths: string[]
	from: GoodCopy
}

/** SSTables of a live set, and how many of them came and went. */
export interface LiveCount {
	sstables: number
	added: number
	removed: number
}

/** A file whose bytes disagree with what the node itself says of them. */
export interface FileDamage {
	path: string
	reason: string
}

/** Totals of files and bytes are estimates, by the snapshots seen so far, until all of them were looked into. */
export interface Progress {
	/** Snapshots that are to be sealed, as far as is known by now, and those that were. */
	snapshots: { done: number; total: number }
	files: { done: number; total: number }
	bytes: { done: number; total: number }
}

/** What a pass did, all in all. */
export interface SyncSummary extends TransferAmounts {
	sealed: number
	/** Snapshots with damage that was there on the node, sealed now or before. */
	damaged: number
	/** Sealed now without proof that they were settled. */
	unproven: number
	/** Already safe before: nothing was done. */
	unchanged: number
	/** There before their keyspace was first kept, and not asked for (`--fullsync`). */
	leftAlone: number
	moved: number
	/** Removed from the haven (`--mirror-deletes`). */
	removed: number
	skipped: number
	failed: number
	/** Number of `trouble` events. */
	troubles: number
	/** Tables' live sets (`--sync-sstables`). */
	live: LiveSummary
	/** Tables' incremental backups (`--backups`). */
	backups: BackupsSummary
	/** Elapsed time in ms. */
	elapsedMs: number
}

/** What a pass did with tables' incremental backups: SSTables, and the files and bytes that came. */
export interface BackupsSummary extends Amount {
	added: number
	/** Things that are damaged on the node. */
	damaged: number
	/** SSTables that are gone from the node (`--prune-backups`). */
	pruned: number
}

/** What a pass did with tables' live sets. */
export interface LiveSummary extends Amount {
	/** Tables whose live set was changed; SSTables that came and went, and the files and bytes that came. */
	changed: number
	added: number
	removed: number
	/** Tables whose live set was that of the node already. */
	unchanged: number
	/** Things that are damaged on the node. */
	damaged: number
	/** Tables whose set was left as it is, since it can't be told what became of theirs on the node. */
	kept: number
}
