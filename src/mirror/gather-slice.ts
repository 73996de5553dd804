import type { SnapshotListing } from '../cassandra/snapshot.ts'
import { makeFolder, removeTree } from '../files/folders.ts'
import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { gathering, snapshotFolder } from '../haven/layout.ts'
import { makePlaces } from '../haven/places.ts'
import { onHaven } from '../haven/trouble.ts'
import { type GatherOrder, keyOf, type Plan } from './gather-order.ts'
import type { Transfer } from './plan.ts'
import type { Piece } from './slices.ts'
import { withSourceFolders } from './source-folders.ts'
import { type PieceResult, transferPiece } from './transfer-file.ts'

/** Makes the folders that the snapshot is gathered in, and those that it will be published into. */
export function* beginGathering(order: GatherOrder, listing: SnapshotListing): Io<void> {
	yield* onHaven(makeFolders(order, listing))
}

function* makeFolders(order: GatherOrder, listing: SnapshotListing): Io<void> {
	const base = order.base ?? ''
	yield* makePlaces(base, order.location)
	const folder = `${base}/${gathering.folder(order.partial, order.number)}`
	for (const { path } of listing.folders) yield* makeFolder(pathOf(path === '' ? folder : `${folder}/${path}`), 0o700)
}

/** Brings a slice of the plan into the gathering folder. */
export function* gatherSlice(order: GatherOrder, plan: Plan, slice: Piece[]): Io<PieceResult[]> {
	const { listing, transfers } = plan
	const target = `${order.path}/${gathering.folder(order.partial, order.number)}`
	return yield* withSourceFolders(order.location, order.tag, listing.dataDirectories, (source) =>
		onHaven(
			each(slice, order.width, function* (piece) {
				const transfer = transfers[piece.index] as Transfer
				const from = yield* source.pathOf(transfer.file)
				const has =
					transfer.from &&
					`${order.base}/${snapshotFolder({ ...keyOf(order), tag: transfer.from.tag })}/${transfer.file.path}`
				return yield* transferPiece({
					transfer,
					piece,
					from,
					to: pathOf(`${target}/${transfer.file.path}`),
					has,
					flush: order.flushEach,
					umask: order.umask,
					stopped: order.stopped,
				})
			}),
		),
	)
}

/** Removes what was gathered. */
export function* discard(order: { base: string | undefined; partial: string; number: number }): Io<void> {
	for (const path of [gathering.progress, gathering.receipt, gathering.folder])
		yield* removeTree(`${order.base}/${path(order.partial, order.number)}`)
}
