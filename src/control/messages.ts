/** A sealed snapshot that a service is asked to remove, by the receipt that was decided upon. */
export interface PruneRequest {
	key: { keyspace: string; table: string; tag: string }
	receiptId: string
}

/** What came of it: where its receipt is gone or another by now, nothing was removed. */
export type PruneAnswer = { removed: true /** That are free now. */; bytes: number } | { removed: false }

/** A snapshot in the mirror that a service is asked to adopt. */
export type AdoptRequest = PruneRequest['key']

/** What came of it. */
export type AdoptAnswer =
	| {
			answer: 'adopted'
			state: 'whole' | 'damaged' | 'unproven'
			damage: { path: string; reason: string }[]
			files: number
			bytes: number
			/** The node has that very snapshot still. */
			onNode: boolean
	  }
	| { answer: 'known' }
	| { answer: 'refused'; reason: string; damaged: boolean }

/** A damaged file under each of the names that snapshots share it by, and good copies of it: what a service is to put right. */
export interface RepairRequest {
	targets: { key: PruneRequest['key']; path: string }[]
	/** In the haven relative to it, on the node absolute. */
	good: GoodCopy[]
}

interface GoodCopy {
	where: 'haven' | 'node'
	path: string
}

/** What came of it. */
export type RepairAnswer = { repaired: true; from: GoodCopy } | { repaired: false; reason: string }

/** Why a question was not answered; `known` where the message is meant for people. */
export interface Refusal {
	error: string
	known?: true
	hint?: string
}
