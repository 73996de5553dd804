import type { GoodCopy } from '../haven/good-copies.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import type { Damage } from './judge-copies.ts'
import type { Selection } from './read-catalog.ts'
import type { Repaired } from './types.ts'

/** What is verified, and how. */
export interface VerifyOptions {
	haven: string
	stateDirectory: string
	/** Where the node keeps its data: what may still have a good copy, beside what the receipts say. */
	dataDirectories: string[]
	selection: Selection
	/** Sizes and times alone; only a file whose time is another is read. */
	quick: boolean
	/** Only so many percent of the bytes: of the snapshots that were not verified for longest. */
	samplePercent: number | undefined
	/** Leave out what was verified within so many ms. */
	sinceLastMs: number | undefined
}

/** One damage: a file, or a receipt. */
export interface DamageFound {
	kind: Damage['kind']
	reason: string
	/** It was so on the node already, and was sealed as damaged. */
	atSource: boolean
	/** Relative to the haven: under every name that snapshots share the damaged file by. */
	paths: string[]
	/** The snapshots that it touches. */
	snapshots: SnapshotKey[]
	good: GoodCopy[]
	/** The damaged file under each of its names, where it is one that another copy can stand in for. */
	targets: { key: SnapshotKey; path: string }[]
}

/** What a verification tells meanwhile. */
export type VerifyEvent =
	| { type: 'damage'; damage: DamageFound }
	/** What stands in a snapshot's folder and its receipt does not know: left alone. */
	| { type: 'extra'; snapshot: SnapshotKey; paths: string[] }
	/** Being sealed or removed, or taken away meanwhile: not verified. */
	| { type: 'left out'; snapshot: SnapshotKey; reason: string }
	| Repaired
	| { type: 'not repaired'; paths: string[]; reason: string }
	| { type: 'warning'; message: string }
	| { type: 'progress'; snapshots: { done: number; total: number }; files: number; bytes: number }

/** What a verification came to. */
export interface VerifySummary {
	/** Snapshots that were looked at, and of these the ones that a new damage touches. */
	snapshots: number
	damaged: number
	/** Damages by number: new ones, and those that were so at the source. */
	damages: number
	atSource: number
	/** Files and bytes that were read: what snapshots share, once. */
	files: number
	bytes: number
	/** Chosen, and not verified: left to another time by --sample or --since-last; in doubt. */
	notChosen: number
	leftOut: number
	extra: number
	/** False where it was ended early. */
	isComplete: boolean
}
