/** A sealed snapshot that a service is asked to remove, by the receipt that was decided upon. */
export interface PruneRequest {
	key: { keyspace: string; table: string; tag: string }
	receiptId: string
}

/** What came of it: where its receipt is gone or another by now, nothing was removed. */
export type PruneAnswer = { removed: true /** That are free now. */; bytes: number } | { removed: false }

/** Why a question was not answered; `known` where the message is meant for people. */
export interface Refusal {
	error: string
	known?: true
	hint?: string
}
