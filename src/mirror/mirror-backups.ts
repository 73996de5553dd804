import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { FolderState } from '../cassandra/live-folders.ts'
import { BACKUPS } from '../haven/layout.ts'
import type { PutLive } from '../haven/live-turn.ts'
import { orderFor } from './attempt.ts'
import type { BackupsOrder } from './backups-look.ts'
import type { ReadyLive } from './live-look.ts'
import { tellSetAside } from './mirror-live.ts'
import type { Pass } from './pass.ts'
import { type FinalAnswer, type TurnOutcome, takeTurn } from './sstable-turn.ts'

/** What is remembered of a table's incremental backups from one look to the next; begins empty. */
export interface BackupsMemory {
	/** The folders as the last look has left nothing to do in them. */
	seen?: FolderState[]
	/** `--prune-backups`: when the next may go, ms since the epoch; undefined: it is to be looked at. */
	pruneAtMs?: number
}

/**
 * Brings what is new in a table's `backups/` to the haven, and with `--prune-backups` deletes on the node what the haven
 * has had for long enough. Says in how many ms to look again, if not only for a change. Rejects where that fails.
 */
export async function mirrorBackups(
	pass: Pass,
	location: TableLocation,
	memory: BackupsMemory,
	patienceMs: number,
): Promise<{ outcome: TurnOutcome; againInMs?: number }> {
	const outcome = await takeTurn(pass, {
		job: 'lookForBackups',
		patienceMs,
		order: () => backupsOrder(pass, location, memory),
		finish: async (answer, seal) => {
			remember(memory, answer)
			return await finish(pass, location, answer, seal)
		},
	})
	const pruneInMs = await pruneWhenDue(pass, location, memory)
	if (outcome === 'busy' || memory.seen === undefined) return { outcome, againInMs: AGAIN_MS }
	return pruneInMs === undefined ? { outcome } : { outcome, againInMs: pruneInMs }
}

/** A folder that changed shortly before it was looked at is looked at again. */
const AGAIN_MS = 2500

function remember(memory: BackupsMemory, answer: FinalAnswer): void {
	if (answer.answer === 'unchanged' && answer.isAsSeen) return
	delete memory.pruneAtMs
	delete memory.seen
	if (answer.answer === 'gone') memory.seen = []
	if (answer.answer === 'unchanged' && answer.seen) memory.seen = answer.seen
}

async function finish(
	{ totals, writing, options }: Pass,
	{ keyspace, table }: TableLocation,
	answer: FinalAnswer,
	seal: (ready: ReadyLive) => Promise<PutLive>,
): Promise<TurnOutcome> {
	const name = { keyspace, table }
	if ('problems' in answer) {
		for (const reason of answer.problems) totals.tell({ type: 'backupsDamaged', table: name, reason })
	}
	if (answer.answer !== 'gather' && answer.answer !== 'ready') return 'settled'
	const { count, amounts } = answer
	if (answer.answer === 'gather' || options.dryRun || !writing) {
		totals.tell({ type: 'backupsPlanned', table: name, sstables: count.added, ...amounts })
		return 'settled'
	}
	tellSetAside(totals, await seal(answer), `incremental backups of ${keyspace}.${table}`)
	totals.tell({ type: 'backups', table: name, sstables: count.added, ...amounts })
	for (const { path, reason } of answer.damage) {
		totals.tell({ type: 'backupsDamaged', table: name, reason: `${path}: ${reason}` })
	}
	return 'settled'
}

/** In how many ms the next may go from the node, if any waits for that. */
async function pruneWhenDue(pass: Pass, location: TableLocation, memory: BackupsMemory): Promise<number | undefined> {
	const { options, haven, engine, totals, signal } = pass
	if (!options.pruneBackups || !haven || signal.aborted) return undefined
	if (memory.pruneAtMs === undefined || memory.pruneAtMs <= Date.now()) {
		const { afterMs } = options.pruneBackups
		const how = { afterMs, dryRun: options.dryRun }
		const { untilMs, kept, ...amounts } = await engine.run('pruneBackups', haven.base, location, how)
		const { keyspace, table } = location
		const name = { keyspace, table }
		if (amounts.sstables > 0) {
			totals.tell({ type: 'backupsPruned', table: name, ...amounts, dryRun: options.dryRun })
		}
		for (const reason of kept) totals.tell({ type: 'backupsKept', table: name, reason })
		memory.pruneAtMs = untilMs ?? Number.POSITIVE_INFINITY
	}
	if (!Number.isFinite(memory.pruneAtMs)) return undefined
	return Math.min(Math.max(0, memory.pruneAtMs - Date.now()), TIMER_MS_MAX)
}

/** A timer takes no more than 24 days. */
const TIMER_MS_MAX = 86_400_000

function backupsOrder(pass: Pass, location: TableLocation, { seen }: BackupsMemory): BackupsOrder {
	return {
		...orderFor(pass, location, { tag: BACKUPS, reuseTags: [], isSealed: false }),
		deep: false,
		dryRun: pass.options.dryRun,
		mayLose: false,
		isLast: false,
		isAgain: false,
		...(seen ? { seen } : {}),
	}
}
