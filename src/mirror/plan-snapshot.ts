import { listSnapshot } from '../cassandra/list-snapshot.ts'
import { isSettled, type Verdict } from '../cassandra/settled.ts'
import type { SnapshotListing } from '../cassandra/snapshot.ts'
import { atOnce, type Io } from '../files/io.ts'
import { readLastBackups } from '../haven/backups.ts'
import { LIVE } from '../haven/layout.ts'
import type { Receipt } from '../haven/receipt.ts'
import { readSnapshotReceipt } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'
import { mayBeBegun, relate } from './compare.ts'
import { type GatherAnswer, type GatherOrder, keyOf, type Plan } from './gather-order.ts'
import { planTransfers, spaceNeeded } from './plan.ts'
import { markTexts } from './read-texts.ts'
import { statAhead } from './stat-ahead.ts'

/** Lists the snapshot, decides whether it is to be sealed now, and how its files would come. */
export function* planSnapshot(order: GatherOrder): Io<Plan | GatherAnswer> {
	const listing = yield* atOnce(listSnapshot(order.location, order.tag))
	if (!listing) return { answer: 'gone' }
	const receipt =
		order.isSealed && order.base ? yield* onHaven(readSnapshotReceipt(order.base, keyOf(order))) : undefined
	const relation = receipt && relate(listing, receipt).relation
	const verdict = decide(order, listing, listing)
	if (relation === 'remains' && mayBeBegun(listing) && verdict.verdict === 'waiting')
		return { answer: 'not settled', verdict }
	if (relation === 'same' || relation === 'remains') return { answer: 'unchanged' }
	if (verdict.verdict !== 'settled') return { answer: 'not settled', verdict }
	const earlier = order.base === undefined ? [] : yield* onHaven(earlierReceipts(order.base, order))
	const transfers = markTexts(planTransfers(listing, { ...order, earlier }), 'snapshot')
	yield* onHaven(statAhead(order, transfers, earlier))
	return { listing, transfers, space: spaceNeeded(transfers) }
}

/** Of what has a file twice, the last one counts: a snapshot's files were proven together, and come with their times. */
function* earlierReceipts(base: string, order: GatherOrder): Io<Receipt[]> {
	const earlier = yield* readLastBackups(base, order.location)
	for (const tag of [LIVE, ...order.reuseTags]) {
		const known = yield* readSnapshotReceipt(base, { ...keyOf(order), tag })
		if (known) earlier.push(known)
	}
	return earlier
}

/** Whether it is settled, by two looks, now. */
export function decide(
	{ location, tag, settleMs }: GatherOrder,
	before: SnapshotListing,
	after: SnapshotListing,
): Verdict {
	return isSettled({ keyspace: location.keyspace, tag, before, after, nowMs: Date.now(), settleMs })
}
