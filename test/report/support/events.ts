import type { SyncEvent, SyncSummary, TransferAmounts } from '../../../src/mirror/types.ts'

export const SNAPSHOT = { keyspace: 'shop', table: 'orders-5a1c395e9d3b11eeb9d10242ac120002', tag: 'daily-1' }

const NONE = { files: 0, bytes: 0 }
export const NOTHING: TransferAmounts = { copied: NONE, hardlinked: NONE, reflinked: NONE, reused: NONE }

type Sealed = Extract<SyncEvent, { type: 'sealed' }>

/** A seal of 12 copied files, but for what is given. */
export function sealed(given: Partial<Sealed> = {}): Sealed {
	const copied = { files: 12, bytes: 4_100_000 }
	return {
		type: 'sealed',
		snapshot: SNAPSHOT,
		state: 'whole',
		damage: [],
		replaced: false,
		...NOTHING,
		copied,
		...given,
	}
}

/** The summary of a pass that did nothing in 1.2 s, but for what is given. */
export function summary(given: Partial<SyncSummary> = {}): SyncSummary {
	const counts = {
		sealed: 0,
		damaged: 0,
		unproven: 0,
		unchanged: 0,
		leftAlone: 0,
		moved: 0,
		removed: 0,
		skipped: 0,
		failed: 0,
		troubles: 0,
	}
	const live = { changed: 0, added: 0, removed: 0, files: 0, bytes: 0, unchanged: 0, damaged: 0, kept: 0 }
	const backups = { added: 0, files: 0, bytes: 0, damaged: 0, pruned: 0 }
	return { ...counts, live, backups, ...NOTHING, elapsedMs: 1234, ...given }
}
