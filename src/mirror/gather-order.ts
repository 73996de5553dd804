import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { Verdict } from '../cassandra/settled.ts'
import type { SnapshotListing } from '../cassandra/snapshot.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import type { Publication } from '../haven/publish.ts'
import type { Transfer } from './plan.ts'
import type { FileDamage, SealState, TransferAmounts } from './types.ts'

/** What it takes to gather one snapshot; plain data, so that it can go to a worker thread. */
export interface GatherOrder {
	/** The haven's opened root as a path; undefined where there is none yet (`--dry-run`). */
	base: string | undefined
	/** The haven's own path, which new files are made by: two links less to follow than by its root. A mount that is gone has no gathering folder there. */
	path: string
	/** `.snaphaven/partial/<token>`. */
	partial: string
	number: number
	location: TableLocation
	tag: string
	settleMs: number
	hardlink: boolean
	/** It is to be deleted on the node after its seal, where it is whole. */
	move: boolean
	canLink: boolean
	canReflink: boolean
	sharedDevices: bigint[]
	/** Tags of the table whose receipts are looked into for files that the haven has. */
	reuseTags: string[]
	/** The tag has a receipt already. */
	isSealed: boolean
	/** How many flushes of the haven had failed when it was begun (see Haven). */
	flushFailures: number
	/** Flush each file as it is written. */
	flushEach: boolean
	/** The process's file mode creation mask, which files that have the node's exact mode must not feel. */
	umask: number
	/** Files of the gathering folder in flight at a time. */
	width: number
	/** See Pass. */
	stopped: Int32Array
	/** Gather at once what needs no more space than this, in bytes; more is for the caller to divide and allow. 0: plan alone. */
	budget: number
}

/** A snapshot as it was found, and what is to be done about it. */
export interface Plan {
	listing: SnapshotListing
	transfers: Transfer[]
	/** Space in the haven that it needs, at most, in bytes. */
	space: number
}

/** Of a plan what it takes to bring a slice of it. */
export interface SlicePlan {
	listing: Pick<SnapshotListing, 'dataDirectories'>
	transfers: Transfer[]
}

export type GatherAnswer =
	| { answer: 'gone' }
	/** The haven has this very snapshot, or all that is left of it on the node. */
	| { answer: 'unchanged' }
	| { answer: 'not settled'; verdict: Exclude<Verdict, { verdict: 'settled' }> }
	/** Too much for one task: to be done slice by slice. */
	| { answer: 'planned'; plan: Plan }
	| ({ answer: 'gathered' } & Gathered)

/** What was gathered and can be published. */
export interface Gathered {
	publication: Publication
	state: SealState
	damage: FileDamage[]
	amounts: TransferAmounts
	leftOut: SnapshotListing['leftOut']
	bytes: number
	/** It was large, and came slice by slice. */
	inSlices: boolean
	/** See GatherOrder. */
	flushFailures: number
}

/** The snapshot that the order is for. */
export function keyOf({ location, tag }: GatherOrder): SnapshotKey {
	return { keyspace: location.keyspace, table: location.table, tag }
}
