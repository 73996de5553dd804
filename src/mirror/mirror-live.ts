import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { DELETED, LIVE, safeName } from '../haven/layout.ts'
import type { PutLive } from '../haven/live-turn.ts'
import { orderFor } from './attempt.ts'
import type { LiveOrder, ReadyLive } from './live-look.ts'
import type { Pass } from './pass.ts'
import { type FinalAnswer, type TurnOutcome, takeTurn } from './sstable-turn.ts'
import type { Totals } from './totals.ts'
import type { SyncEvent } from './types.ts'

/** How a table's live set is to be looked at. */
export interface LiveLooking {
	/** See LiveOrder. */
	deep: boolean
	/** See Turn. */
	patienceMs: number
}

/**
 * Brings a table's live set in the haven up to that of the node. Rejects where that fails; the haven has the set from before
 * then.
 */
export function mirrorLive(
	pass: Pass,
	location: TableLocation,
	{ deep, patienceMs }: LiveLooking,
): Promise<TurnOutcome> {
	return takeTurn(pass, {
		job: 'lookForLive',
		patienceMs,
		order: () => liveOrder(pass, location, deep),
		finish: (answer, seal) => finish(pass, location, answer, seal),
	})
}

async function finish(
	{ totals, writing, options }: Pass,
	{ keyspace, table }: TableLocation,
	answer: FinalAnswer,
	seal: (ready: ReadyLive) => Promise<PutLive>,
): Promise<TurnOutcome> {
	const name = { keyspace, table }
	const tellProblems = (problems: string[]) => {
		for (const reason of problems) totals.tell({ type: 'liveDamaged', table: name, reason })
	}
	switch (answer.answer) {
		case 'gone':
			return 'settled'
		case 'kept': {
			const { because, reason } = answer
			totals.tell({ type: 'liveKept', table: name, because, reason })
			return because === 'dropped' ? 'settled' : 'kept'
		}
		case 'unchanged':
			tellProblems(answer.problems)
			totals.liveUnchanged()
			if (answer.damaged) totals.tell({ type: 'liveDamaged', table: name, reason: BEFORE })
			return 'settled'
		case 'gather': {
			const { count, amounts } = answer
			totals.tell({ type: 'livePlanned', table: name, ...count, ...amounts })
			return 'settled'
		}
		case 'ready': {
			tellProblems(answer.problems)
			if (options.dryRun || !writing) {
				totals.tell({ type: 'livePlanned', table: name, ...answer.count, ...answer.amounts })
				return 'settled'
			}
			tellSetAside(totals, await seal(answer), `live SSTables of ${keyspace}.${table}`)
			tellSealed(totals.tell, name, answer)
			return 'settled'
		}
	}
}

const BEFORE = 'its live set was sealed with damage that was there on the node, and is unchanged since'

/** Tells of what no receipt knew and stood where something came. */
export function tellSetAside({ tell }: Pick<Totals, 'tell'>, { setAside }: PutLive, what: string): void {
	if (setAside === undefined) return
	const message = `files that no receipt knows stood in the way of ${what}: they are now in ${setAside}`
	tell({ type: 'warning', message })
}

function tellSealed(
	tell: (event: SyncEvent) => void,
	table: { keyspace: string; table: string },
	{ count, amounts, damage }: ReadyLive,
): void {
	tell({ type: 'live', table, ...count, ...amounts })
	for (const { path, reason } of damage) tell({ type: 'liveDamaged', table, reason: `${path}: ${reason}` })
}

function liveOrder(pass: Pass, location: TableLocation, deep: boolean): LiveOrder {
	const { options } = pass
	const { keyspace, table } = location
	const day = new Date().toISOString().slice(0, 10)
	const keepIn = `${DELETED}/${day}/${safeName(keyspace)}/${safeName(table)}`
	return {
		...orderFor(pass, location, { tag: LIVE, reuseTags: [], isSealed: false }),
		deep,
		dryRun: options.dryRun,
		mayLose: options.takeOver,
		isLast: false,
		isAgain: false,
		...(options.keepDeletedDays === undefined ? {} : { keepIn }),
	}
}
