import type { SnapshotListing } from '../cassandra/snapshot.ts'
import { makeFolder, removeTree } from '../files/folders.ts'
import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { gathering, snapshotFolder } from '../haven/layout.ts'
import { makePlaces } from '../haven/places.ts'
import { onHaven } from '../haven/trouble.ts'
import type { GatherOrder, SlicePlan } from './gather-order.ts'
import type { Transfer } from './plan.ts'
import { goOnUnless } from './read-source.ts'
import { type Piece, SLICE_BYTES_MAX } from './slices.ts'
import { SourceChanged } from './source-changed.ts'
import { type SourceFolders, withSourceFolders } from './source-folders.ts'
import { type PieceResult, transferPiece } from './transfer-file.ts'

/** Makes the folders that the snapshot is gathered in, and those that it will be published into. */
export function* beginGathering(order: GatherOrder, listing: SnapshotListing): Io<void> {
	yield* onHaven(makeFolders(order, listing))
}

function* makeFolders(order: GatherOrder, listing: SnapshotListing): Io<void> {
	const base = order.base ?? ''
	yield* makePlaces(base, order.location)
	yield* makeGatheringFolders(order, listing)
}

/** Makes the folders that the snapshot is gathered in, those that are missing. */
export function* makeGatheringFolders(order: GatherOrder, { folders }: Pick<SnapshotListing, 'folders'>): Io<void> {
	const folder = `${order.base}/${gathering.folder(order.partial, order.number)}`
	for (const { path } of folders) yield* makeFolder(pathOf(path === '' ? folder : `${folder}/${path}`), 0o700)
}

/** Brings a slice of the plan into the gathering folder. */
export function gatherSlice(order: GatherOrder, plan: SlicePlan, slice: Piece[]): Io<PieceResult[]> {
	return inSource(order, plan, slice, (source, piece) => bring(order, plan, source, piece))
}

/** More of what was to be shared had to be copied than one task may copy. */
export class Unshared extends Error {}

/** Brings all of a plan. Throws Unshared, before it copies too much. */
export function gatherWhole(order: GatherOrder, plan: SlicePlan): Io<PieceResult[]> {
	const pieces = plan.transfers.map(({ file }, index): Piece => ({ index, offset: 0, length: file.size, whole: true }))
	let copied = 0
	return inSource(order, plan, pieces, (source, piece) =>
		bring(order, plan, source, piece, () => {
			copied += piece.length
			if (copied > SLICE_BYTES_MAX) throw new Unshared('what was to be shared can’t be')
		}),
	)
}

/** As gatherSlice, of a live set: undefined for a file that is gone from the node by now, or another; nothing is left of it. */
export function gatherLiveSlice(order: GatherOrder, plan: SlicePlan, slice: Piece[]): Io<(PieceResult | undefined)[]> {
	return inSource(order, plan, slice, function* (source, piece): Io<PieceResult | undefined> {
		try {
			return yield* bring(order, plan, source, piece)
		} catch (error) {
			if (!(error instanceof SourceChanged)) throw error
			yield* removeTree(targetOf(order, plan.transfers[piece.index] as Transfer))
			return undefined
		}
	})
}

function inSource<T>(
	order: GatherOrder,
	{ listing }: SlicePlan,
	slice: Piece[],
	work: (source: SourceFolders, piece: Piece) => Io<T>,
): Io<T[]> {
	return withSourceFolders(order.location, order.tag, listing.dataDirectories, (source) =>
		onHaven(each(slice, order.width, (piece) => work(source, piece))),
	)
}

function* bring(
	order: GatherOrder,
	plan: SlicePlan,
	source: SourceFolders,
	piece: Piece,
	onUnshared?: () => void,
): Io<PieceResult> {
	const transfer = plan.transfers[piece.index] as Transfer
	const { from } = transfer
	goOnUnless(order.stopped)
	const has = from && `${order.path}/${snapshotFolder({ ...order.location, tag: from.tag })}/${transfer.file.path}`
	return yield* transferPiece({
		transfer,
		piece,
		from: () => source.pathOf(transfer.file),
		to: pathOf(targetOf(order, transfer)),
		has,
		flush: order.flushEach,
		umask: order.umask,
		stopped: order.stopped,
		onUnshared,
	})
}

/** Where a file goes, in the gathering folder. */
export function targetOf(order: GatherOrder, { file }: Transfer): string {
	return `${order.path}/${gathering.folder(order.partial, order.number)}/${file.path}`
}

/** Removes what was gathered. */
export function* discard(order: { base: string | undefined; partial: string; number: number }): Io<void> {
	for (const path of [gathering.progress, gathering.receipt, gathering.folder])
		yield* removeTree(`${order.base}/${path(order.partial, order.number)}`)
}
