import { listSnapshot } from '../cassandra/list-snapshot.ts'
import { atOnce, type Io } from '../files/io.ts'
import { checkContents } from './check-contents.ts'
import { completeGathering } from './complete.ts'
import type { GatherAnswer, GatherOrder, Plan } from './gather-order.ts'
import { beginGathering, discard, gatherWhole, Unshared } from './gather-slice.ts'
import { planSnapshot } from './plan-snapshot.ts'
import { isGatheredWhole } from './slices.ts'
import { SourceChanged } from './source-changed.ts'

/** Looks at a snapshot and, where it is small, gathers it in one go. What is not to be sealed leaves nothing behind. */
export function* gatherSnapshot(order: GatherOrder): Io<GatherAnswer> {
	const plan = yield* planSnapshot(order)
	if ('answer' in plan) return plan
	if (order.base === undefined || !isGatheredWhole(plan, order)) return yield* planned(order, plan)
	yield* beginGathering(order, plan.listing)
	try {
		return yield* completeGathering(order, plan, yield* gatherWhole(order, plan))
	} catch (error) {
		if (error instanceof SourceChanged) return yield* lookAgain(order, error.message)
		yield* discard(order)
		if (error instanceof Unshared) return yield* planned(order, plan)
		throw error
	}
}

/** What can never be sealed is not even begun: a large copy in vain would come at Cassandra's cost. */
function* planned(order: GatherOrder, plan: Plan): Io<GatherAnswer> {
	try {
		return (yield* checkContents(order, plan)) ?? { answer: 'planned', plan }
	} catch (error) {
		if (error instanceof SourceChanged) return yield* whatBecame(order, error.message)
		throw error
	}
}

/** What is to be done about a source that went or changed while it was copied. */
export function* lookAgain(order: GatherOrder, what: string): Io<GatherAnswer> {
	yield* discard(order)
	return yield* whatBecame(order, what)
}

function* whatBecame(order: GatherOrder, what: string): Io<GatherAnswer> {
	const after = yield* atOnce(listSnapshot(order.location, order.tag))
	if (!after) return { answer: 'gone' }
	const now = Date.now()
	const reason = `it changed while it was copied (${what})`
	return {
		answer: 'not settled',
		verdict: { verdict: 'waiting', reason, untilMs: now + 250, giveUpMs: now + order.settleMs },
	}
}
