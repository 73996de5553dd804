import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { areFoldersAsBefore, type FolderState, isDropped } from '../cassandra/live-folders.ts'
import type { LiveListing } from '../cassandra/live-listing.ts'
import { findLive, type LiveSSTables } from '../cassandra/live-sstables.ts'
import { lookAtLive } from '../cassandra/look-at-live.ts'
import { makeFolder, removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import type { Name } from '../files/names.ts'
import { readLastBackups } from '../haven/backups.ts'
import { gathering, isBackups, LIVE } from '../haven/layout.ts'
import type { LiveTurn } from '../haven/live-turn.ts'
import type { Receipt, ReceiptHead } from '../haven/receipt.ts'
import { listReceipts, readSnapshotHead, readSnapshotReceipt } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'
import { type GatherOrder, keyOf } from './gather-order.ts'
import { decideLive, type GatheredLive, isSettledLive, type LiveDecision, losesAnything } from './live-decision.ts'
import { whyInDoubt } from './live-doubt.ts'
import { draftLive } from './live-draft.ts'
import { amountsOf, planTransfers, type Transfer } from './plan.ts'
import { markTexts } from './read-texts.ts'
import type { FileDamage, LiveCount, TransferAmounts } from './types.ts'

/** What it takes to look at a table for its live set; plain data. Its tag is LIVE. */
export interface LiveOrder extends GatherOrder {
	/** Look at each file, also where no folder tells of a change: TOC.txt and Filter.db are written in place. */
	deep: boolean
	/** Nothing is written. */
	dryRun: boolean
	/** What is gone from the node goes from the haven whatever became of the folders there (`--take-over`). */
	mayLose: boolean
	/** See LiveTurn. */
	keepIn?: string
	/** What can't be known now is left as it is, and not waited for. */
	isLast: boolean
	/** Something was gathered before, and what is to be gathered now may be there by half. */
	isAgain: boolean
}

export type LiveAnswer =
	/** The table's folders are gone from the node: what the haven has of it stays. */
	| { answer: 'gone' }
	/** It changed all the time, or what some of it is will be known soon. */
	| { answer: 'busy' }
	/** The haven has the very set that is live. `damaged`: it was damaged on the node when it came. */
	| {
			answer: 'unchanged'
			problems: string[]
			damaged: boolean
			/** Of backups: nothing can have come as long as the folders are these. */
			seen?: FolderState[]
			/** They are those that were given. */
			isAsSeen?: true
	  }
	/** SSTables are gone, and what the haven has stays all the same, and why. */
	| { answer: 'kept'; because: 'dropped' | 'in doubt'; reason: string }
	/** These files are to be gathered, and then it is to be looked at again. */
	| {
			answer: 'gather'
			transfers: Transfer[]
			listing: Pick<LiveListing, 'dataDirectories'>
			vain: Name[]
			count: LiveCount
			/** Files that no change concerns are not counted: what would come, if all came now. */
			amounts: TransferAmounts
	  }
	| ({ answer: 'ready' } & ReadyLive)

/** A live set that is gathered, and can be published. */
export interface ReadyLive {
	publication: LiveTurn
	count: LiveCount
	amounts: TransferAmounts
	damage: FileDamage[]
	problems: string[]
	/** What it weighs in a group. */
	bytes: number
	/** See GatherOrder. */
	flushFailures: number
}

/** Looks at a table's live SSTables and compares them with what the haven has, and with what was gathered by now. */
export function* lookForLive(order: LiveOrder, gathered: GatheredLive[]): Io<LiveAnswer> {
	const { base, location } = order
	const key = keyOf(order)
	if (base !== undefined && !order.deep && gathered.length === 0) {
		const head = yield* onHaven(readSnapshotHead(base, key))
		if (head && (yield* isAsBefore(order, head)))
			return { answer: 'unchanged', problems: [], damaged: head.state === 'damaged' }
	}
	const lookedAt = new Date().toISOString()
	const listing = yield* lookAtLive(location)
	if (!listing) return { answer: 'busy' }
	if (listing.folders.length === 0) return { answer: 'gone' }
	const found = findLive(listing)
	if (!order.isLast && isPassing(found)) return { answer: 'busy' }
	const receipt = base === undefined ? undefined : yield* onHaven(readSnapshotReceipt(base, key))
	const decision = decideLive(listing, found, receipt?.files ?? [], gathered)
	const { problems, vain, missing } = decision
	if (base !== undefined) for (const path of vain) yield* onHaven(removeTree(`${gatheringFolder(order)}/${path}`))
	if (receipt && isSettledLive(decision)) return { answer: 'unchanged', problems, damaged: receipt.state === 'damaged' }
	if (receipt && losesAnything(decision)) {
		const kept = yield* whyKept(order, receipt, listing, decision)
		if (kept) return kept
	}
	if (missing.length > 0) return yield* planToGather(order, listing, decision)
	return { answer: 'ready', ...(yield* draftLive(order, { listing, decision, lookedAt })) }
}

/** Behind the time of a folder that changed shortly before it was looked at, another change may hide. */
export const TICK_MS = 2000

function* isAsBefore({ location }: LiveOrder, { source, takenAt }: ReceiptHead): Io<boolean> {
	const settledNs = BigInt(Date.parse(takenAt) - TICK_MS) * 1_000_000n
	if (source.folders.some(({ mtimeNs }) => BigInt(mtimeNs) > settledNs)) return false
	return yield* areFoldersAsBefore(location, source.folders)
}

/** Whether what can't be known now will be soon: where a log is damaged it will not. */
export function isPassing({ sstables, logs }: LiveSSTables): boolean {
	return sstables.some(({ state }) => state === 'unknown') && !logs.some(({ state }) => state === 'damaged')
}

/** Why the haven's set stays, though the node has it no more. */
function* whyKept(
	{ mayLose, location }: LiveOrder,
	{ source }: Receipt,
	listing: LiveListing,
	{ keep, add, missing, count }: LiveDecision,
): Io<Extract<LiveAnswer, { answer: 'kept' }> | undefined> {
	if (add.length + missing.length === 0 && (yield* isDropped(location))) {
		const reason = `${count.removed} of its SSTables are gone from the node, where it was dropped: the haven keeps its set`
		return { answer: 'kept', because: 'dropped', reason }
	}
	const doubt = mayLose ? undefined : whyInDoubt({ listing, source, kept: keep })
	if (doubt === undefined) return undefined
	return { answer: 'kept', because: 'in doubt', reason: doubt }
}

/** Receipts that are looked into for files that the haven has: of backups, live set and snapshots each other's. */
function* receiptsToShare(base: string, location: TableLocation, tag: string): Io<Receipt[]> {
	const snapshots = yield* lastSnapshots(base, location)
	if (!isBackups(tag)) return [...(yield* readLastBackups(base, location)), ...snapshots]
	const { keyspace, table } = location
	const live = yield* readSnapshotReceipt(base, { keyspace, table, tag: LIVE })
	return live ? [live, ...snapshots] : snapshots
}

/** How many snapshots' receipts are looked into for files that the haven has: those taken last. */
const REUSE_FROM = 2

/** What is missing, and how it is to come. */
export function* planToGather(order: LiveOrder, listing: LiveListing, decision: LiveDecision): Io<LiveAnswer> {
	const { base, location } = order
	const earlier = base === undefined ? [] : yield* onHaven(receiptsToShare(base, location, order.tag))
	const transfers = markTexts(planTransfers({ files: decision.missing }, { ...order, earlier }), 'live set')
	if (!order.dryRun) yield* onHaven(makeGatheringFolders(order, transfers))
	return {
		answer: 'gather',
		transfers,
		listing: { dataDirectories: listing.dataDirectories },
		vain: decision.vain,
		count: decision.count,
		amounts: amountsOf(transfers.map(({ how, file }) => ({ how, size: file.size }))),
	}
}

function* lastSnapshots(base: string, table: { keyspace: string; table: string }): Io<Receipt[]> {
	const heads = yield* (yield* listReceipts(base, table)).all()
	const receipts: Receipt[] = []
	for (const { tag } of heads.sort((a, b) => (a.takenAt < b.takenAt ? 1 : -1)).slice(0, REUSE_FROM)) {
		const { keyspace, table: folder } = table
		const receipt = yield* readSnapshotReceipt(base, { keyspace, table: folder, tag })
		if (receipt) receipts.push(receipt)
	}
	return receipts
}

function* makeGatheringFolders(order: LiveOrder, transfers: Transfer[]): Io<void> {
	const folder = gatheringFolder(order)
	if (order.isAgain) for (const { file } of transfers) yield* removeTree(`${folder}/${file.path}`)
	yield* makeFolder(folder, 0o700)
	const inner = transfers.map(({ file }) => file.path.slice(0, Math.max(0, file.path.lastIndexOf('/'))))
	for (const path of new Set(inner)) if (path !== '') yield* makeFolder(`${folder}/${path}`, 0o700)
}

/** Where it is gathered. */
export function gatheringFolder({ base, partial, number }: LiveOrder): string {
	return `${base}/${gathering.folder(partial, number)}`
}
