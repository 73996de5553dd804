import { setTimeout as sleep } from 'node:timers/promises'
import { steadyMs } from '../files/builtins.ts'
import type { PutLive } from '../haven/live-turn.ts'
import { enqueue } from './attempt.ts'
import { FlushFailedMeanwhile, OTHERS_FAILURES_MAX } from './flush-haven.ts'
import { gatherLive } from './gather-live.ts'
import type { GatheredLive } from './live-decision.ts'
import type { LiveAnswer, LiveOrder, ReadyLive } from './live-look.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import { type Pass, whileBusy } from './pass.ts'
import { spaceNeeded } from './plan.ts'
import { SLICE_BYTES_MAX } from './slices.ts'

/** What became of a turn. */
export type TurnOutcome = 'settled' | 'busy' | 'kept'

/** What a turn comes to in the end: nothing is left to be gathered, or (in a dry run) something would be. */
export type FinalAnswer = Exclude<LiveAnswer, { answer: 'busy' }>

/** A turn of a table: of its live set, or of its incremental backups. */
export interface Turn {
	/** The job that looks, compares, and drafts the receipt. */
	job: 'lookForLive' | 'lookForBackups'
	/** What changes all the time is left to a later look after so many ms. */
	patienceMs: number
	/** A new order, under a number of its own. */
	order: () => LiveOrder
	/** Makes it count, and tells; `seal` may reject. */
	finish: (answer: FinalAnswer, seal: (ready: ReadyLive) => Promise<PutLive>) => Promise<TurnOutcome>
}

/**
 * Brings what the haven has up to what the node has: gathers what is new until a look finds that all it shows is there,
 * and seals that. Rejects where that fails; the haven has what it had before then.
 */
export async function takeTurn(pass: Pass, turn: Turn): Promise<TurnOutcome> {
	let others = OTHERS_FAILURES_MAX
	for (let how: 'in a group' | 'alone' = 'in a group'; ; ) {
		try {
			return await tryOnce(pass, turn, how)
		} catch (error) {
			// As for snapshots: a group that could not be made durable is gathered anew, once.
			if (!(error instanceof SealFailed)) throw error
			if (pass.signal.aborted || !isOneSnapshots(error.cause)) throw error.cause
			if (error.cause instanceof FlushFailedMeanwhile && others > 0) others -= 1
			else if (how === 'alone') throw error.cause
			else how = 'alone'
		}
	}
}

/** The sealing failed, of this or of another table in its group. */
class SealFailed extends Error {}

async function tryOnce(pass: Pass, turn: Turn, how: 'in a group' | 'alone'): Promise<TurnOutcome> {
	const { engine, writing } = pass
	const order = turn.order()
	const untilMs = steadyMs() + turn.patienceMs
	let gathered: GatheredLive[] = []
	const look = (isLast: boolean) =>
		whileBusy(pass, () =>
			enqueue(pass, 0, () => engine.run(turn.job, { ...order, isLast, isAgain: isBegun }, gathered)),
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
				return await turn.finish(answer, (ready) => seal(pass, ready, how))
			}
		}
	} finally {
		if (isLeft && !pass.signal.aborted) await engine.run('discard', order)
	}
}

/** While a log can't be understood yet, or the table changes all the time. */
const BUSY_MS = 200

async function seal({ writing }: Pass, ready: ReadyLive, how: 'in a group' | 'alone'): Promise<PutLive> {
	if (!writing) throw new Error('nothing is sealed where nothing is written')
	try {
		return await writing.liveSealer.seal(ready, how)
	} catch (error) {
		throw new SealFailed('', { cause: error })
	}
}
