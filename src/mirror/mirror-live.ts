import { setTimeout as sleep } from 'node:timers/promises'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import { DELETED, LIVE, safeName } from '../haven/layout.ts'
import { enqueue, orderFor } from './attempt.ts'
import { gatherLive } from './gather-live.ts'
import type { GatheredLive } from './live-decision.ts'
import type { LiveAnswer, LiveOrder, ReadyLive } from './live-look.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import { type Pass, whileBusy } from './pass.ts'
import { spaceNeeded } from './plan.ts'
import { SLICE_BYTES_MAX } from './slices.ts'
import type { SyncEvent } from './types.ts'

/** How a table's live set is to be looked at. */
export interface LiveLooking {
	/** See LiveOrder. */
	deep: boolean
	/** What changes all the time is left to a later look after so many ms. */
	patienceMs: number
}

/** What became of it. */
export type LiveOutcome = 'settled' | 'busy' | 'kept'

/**
 * Brings a table's live set in the haven up to that of the node: gathers what is new until a look finds that all it shows
 * is there, and seals that. Rejects where that fails; the haven has the set from before then.
 */
export async function mirrorLive(pass: Pass, location: TableLocation, looking: LiveLooking): Promise<LiveOutcome> {
	try {
		return await tryOnce(pass, location, looking)
	} catch (error) {
		// As for snapshots: a group that could not be made durable is gathered anew, once.
		if (!(error instanceof SealFailed)) throw error
		if (pass.signal.aborted || !isOneSnapshots(error.cause)) throw error.cause
		return await tryOnce(pass, location, { ...looking, alone: true })
	}
}

/** The sealing failed, of this or of another table in its group. */
class SealFailed extends Error {}

async function tryOnce(
	pass: Pass,
	location: TableLocation,
	{ deep, patienceMs, alone = false }: LiveLooking & { alone?: boolean },
): Promise<LiveOutcome> {
	const { engine, writing } = pass
	const order = liveOrder(pass, location, deep)
	const untilMs = steadyMs() + patienceMs
	let gathered: GatheredLive[] = []
	const look = (isLast: boolean) =>
		whileBusy(pass, () =>
			enqueue(pass, 0, () => engine.run('lookForLive', { ...order, isLast, isAgain: isBegun }, gathered)),
		)
	let isBegun = false
	let isLeft = false
	try {
		for (;;) {
			const isLast = steadyMs() > untilMs
			const answer = await look(isLast)
			if (answer.answer === 'busy') {
				if (isLast) return 'busy'
				await sleep(BUSY_MS, undefined, { signal: pass.signal })
			} else if (answer.answer === 'gather' && writing) {
				isBegun = true
				isLeft = true
				if (spaceNeeded(answer.transfers) > SLICE_BYTES_MAX) pass.onSlices?.()
				gathered = gathered.filter(({ file }) => !answer.vain.includes(file.path))
				gathered.push(...(await whileBusy(pass, () => gatherLive(pass, writing, order, answer))))
			} else {
				// The group that seals it clears it up.
				if (answer.answer === 'ready') isLeft = false
				return await finish(pass, location, answer, alone)
			}
		}
	} finally {
		if (isLeft && !pass.signal.aborted) await engine.run('discard', order)
	}
}

/** While a log can't be understood yet, or the table changes all the time. */
const BUSY_MS = 200

async function finish(
	{ totals, writing, options }: Pass,
	{ keyspace, table }: TableLocation,
	answer: Exclude<LiveAnswer, { answer: 'busy' }>,
	alone: boolean,
): Promise<LiveOutcome> {
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
			const put = await seal(writing, answer, alone)
			if (put.setAside !== undefined) {
				const message = `files that no receipt knows stood in the way of live SSTables of ${keyspace}.${table}: they are now in ${put.setAside}`
				totals.tell({ type: 'warning', message })
			}
			tellSealed(totals.tell, name, answer)
			return 'settled'
		}
	}
}

const BEFORE = 'its live set was sealed with damage that was there on the node, and is unchanged since'

async function seal({ liveSealer }: NonNullable<Pass['writing']>, ready: ReadyLive, alone: boolean) {
	try {
		return await liveSealer.seal(ready, alone ? 'alone' : 'in a group')
	} catch (error) {
		throw new SealFailed('', { cause: error })
	}
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
