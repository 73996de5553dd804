import { steadyMs } from '../files/builtins.ts'
import type { Amount, SealState, SnapshotName, SyncEvent, SyncSummary, TransferAmounts } from './types.ts'

/** Keeps count of a pass: what it did for the summary, and how far it is for the progress. */
export interface Totals {
	tell: (event: SyncEvent) => void
	/** So many more snapshots are to be sealed. */
	expect: (snapshots: number) => void
	/** A snapshot was found to be of so many files and bytes. */
	measured: (amount: Amount) => void
	/** So much of them has come to the haven. */
	arrived: (amount: Amount) => void
	/** A snapshot is done with, sealed or not. */
	finished: () => void
	/** A snapshot is as it was sealed, in this state; damage is told again as long as it is on the node. */
	unchanged: (snapshot: SnapshotName, state: SealState | undefined) => void
	/** A snapshot was there before its keyspace was first kept, and is not asked for. */
	leftAlone: () => void
	/** A table's live set was that of the node already. */
	liveUnchanged: () => void
	summary: () => SyncSummary
}

const PROGRESS_EVERY_MS = 100

/** Starts counting; every event goes on to `tell`. */
export function makeTotals(tell: (event: SyncEvent) => void): Totals {
	const startMs = steadyMs()
	let progressMs = startMs
	const snapshots = { done: 0, total: 0 }
	const measured = { snapshots: 0, files: 0, bytes: 0 }
	const arrived = { files: 0, bytes: 0 }
	const none = (): Amount => ({ files: 0, bytes: 0 })
	const summary = {
		...{
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
		},
		live: { changed: 0, added: 0, removed: 0, files: 0, bytes: 0, unchanged: 0, damaged: 0, kept: 0 },
		backups: { added: 0, files: 0, bytes: 0, damaged: 0, pruned: 0 },
		...{ copied: none(), hardlinked: none(), reflinked: none(), reused: none() },
	}
	const estimate = (known: number) =>
		measured.snapshots === 0
			? known
			: Math.round((known / measured.snapshots) * Math.max(measured.snapshots, snapshots.total))
	const progress = () => {
		const now = steadyMs()
		if (now - progressMs < PROGRESS_EVERY_MS) return
		progressMs = now
		const files = { done: arrived.files, total: estimate(measured.files) }
		const bytes = { done: arrived.bytes, total: estimate(measured.bytes) }
		tell({ type: 'progress', progress: { snapshots: { ...snapshots }, files, bytes } })
	}
	const tellCounted = (event: SyncEvent) => {
		count(summary, event)
		tell(event)
	}
	return {
		tell: tellCounted,
		expect: (more) => {
			snapshots.total += more
		},
		measured: ({ files, bytes }) => {
			measured.snapshots += 1
			measured.files += files
			measured.bytes += bytes
		},
		arrived: ({ files, bytes }) => {
			arrived.files += files
			arrived.bytes += bytes
			progress()
		},
		finished: () => {
			snapshots.done += 1
			progress()
		},
		unchanged: (snapshot, state) => {
			summary.unchanged += 1
			if (state === 'damaged') tellCounted({ type: 'damaged', snapshot })
		},
		leftAlone: () => {
			summary.leftAlone += 1
		},
		liveUnchanged: () => {
			summary.live.unchanged += 1
		},
		summary: () => ({
			...summary,
			live: { ...summary.live },
			backups: { ...summary.backups },
			elapsedMs: steadyMs() - startMs,
		}),
	}
}

const WAYS = ['copied', 'hardlinked', 'reflinked', 'reused'] as const

function count(summary: Omit<SyncSummary, 'elapsedMs'>, event: SyncEvent): void {
	switch (event.type) {
		case 'sealed':
			summary.sealed += 1
			if (event.state === 'damaged') summary.damaged += 1
			if (event.state === 'unproven') summary.unproven += 1
			add(summary, event)
			break
		case 'damaged':
			summary.damaged += 1
			break
		case 'planned':
			add(summary, event)
			break
		case 'live':
			summary.live.changed += 1
			summary.live.added += event.added
			summary.live.removed += event.removed
			addAmount(summary.live, event)
			break
		case 'backups':
			summary.backups.added += event.sstables
			addAmount(summary.backups, event)
			break
		case 'backupsDamaged':
			summary.backups.damaged += 1
			break
		case 'backupsPruned':
			if (!event.dryRun) summary.backups.pruned += event.sstables
			break
		case 'liveDamaged':
			summary.live.damaged += 1
			break
		case 'liveKept':
			if (event.because === 'in doubt') summary.live.kept += 1
			break
		case 'moved':
			summary.moved += 1
			break
		case 'removed':
			summary.removed += 1
			break
		case 'failed':
			summary.failed += 1
			break
		case 'skipped':
			summary.skipped += 1
			break
		case 'trouble':
			summary.troubles += 1
			break
	}
}

function addAmount(sum: Amount, more: TransferAmounts): void {
	for (const how of WAYS) {
		sum.files += more[how].files
		sum.bytes += more[how].bytes
	}
}

function add(sum: TransferAmounts, more: TransferAmounts): void {
	for (const how of WAYS) {
		sum[how].files += more[how].files
		sum[how].bytes += more[how].bytes
	}
}
