import type { SnapshotName } from './types.ts'

/** How the running service is, by its own word. Times are ISO 8601, in UTC. */
export interface ServiceStatus {
	/** `starting` until the haven is open for the first time. */
	state: 'starting' | 'running' | 'haven in trouble' | 'ending'
	startedAt: string
	/** Snapshots sealed since it started, and the bytes of their files. */
	sealed: number
	bytes: number
	/** Snapshots that went from the node after their seal (`--move-snapshots`), since it started. */
	moved: number
	/** Snapshots that went from the haven after they went from the node (`--mirror-deletes`), since it started. */
	removed: number
	/**
	 * It follows live SSTables (`--sync-sstables`): how many came to the haven and went since it started, and the bytes that
	 * came. Absent where it does not.
	 */
	live?: { added: number; removed: number; bytes: number; lastAt?: string }
	/**
	 * It mirrors incremental backups (`--backups`): how many SSTables came to the haven since it started, and their bytes, and
	 * how many it deleted on the node (`--prune-backups`). Absent where it does not.
	 */
	backups?: { added: number; bytes: number; pruned: number; lastAt?: string }
	lastSealAt?: string
	lastSweepAt?: string
	/** It removes from the haven what is cleared on the node (`--mirror-deletes`). */
	mirrorDeletes: boolean
	/** Tables that it looks after. */
	tables: number
	/** What keeps it from the haven as a whole; absent where nothing does. */
	trouble?: { since: string; message: string }
	/** What it tried and could not do, and will try again. `what` is printable. */
	failing: { what: string; since: string; reason: string }[]
	/** Snapshots that are not settled yet. */
	waiting: { snapshot: SnapshotName; since: string; reason: string }[]
	/** Snapshots on the node that are to be sealed and are not yet, for whatever reason. */
	unsealed: number
	/** Of these, the one that was seen first, and when that was. */
	oldestUnsealed?: { snapshot: SnapshotName; since: string }
}

/** The answer of a running service: which process it is, and how it is. */
export interface RunningService {
	pid: number
	/** The snaphaven that it is. */
	version: string
	status: ServiceStatus
}

/** What a service wrote of itself, for those who ask when none runs any more. */
export interface LastStatus extends RunningService {
	/** ISO 8601, in UTC. */
	writtenAt: string
}
