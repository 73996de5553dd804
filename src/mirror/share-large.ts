import type { SnapshotListing } from '../cassandra/snapshot.ts'
import { CREATE } from '../files/contents.ts'
import { done, each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { withOpen } from '../files/operations.ts'
import { onHaven } from '../haven/trouble.ts'
import type { GatherOrder } from './gather-order.ts'
import { makeGatheringFolders, targetOf } from './gather-slice.ts'
import type { Transfer } from './plan.ts'
import { goOnUnless } from './read-source.ts'
import { SLICE_BYTES_MAX } from './slices.ts'
import { type SourceFolders, withSourceFolders } from './source-folders.ts'
import { PIECED_BITS, shareBlocks } from './transfer-file.ts'

/** Whether a file is to share its blocks with the node's, and takes long to read: then it is read in pieces. */
export function isLargeShared({ how, file }: Transfer): boolean {
	return (how === 'hardlinked' || how === 'reflinked') && file.size > SLICE_BYTES_MAX
}

/**
 * Shares the blocks of such files before they are read: pieces that go side by side could not agree on who links and who
 * copies, and a copy must never be written into the node's own file. True for each that is shared now. Throws
 * SourceChanged.
 */
export function shareLarge(
	order: GatherOrder,
	listing: Pick<SnapshotListing, 'dataDirectories' | 'folders'>,
	transfers: Transfer[],
): Io<boolean[]> {
	return withSourceFolders(order.location, order.tag, listing.dataDirectories, (source) =>
		onHaven(shareEach(order, listing, transfers, source)),
	)
}

function* shareEach(
	order: GatherOrder,
	listing: Pick<SnapshotListing, 'folders'>,
	transfers: Transfer[],
	source: SourceFolders,
): Io<boolean[]> {
	yield* makeGatheringFolders(order, listing)
	return yield* each(transfers, order.width, function* (transfer) {
		goOnUnless(order.stopped)
		const to = pathOf(targetOf(order, transfer))
		if (yield* shareBlocks({ transfer, from: () => source.pathOf(transfer.file), to })) return true
		// Pieces are written into what has this name: it must be a new file, whatever the failed link has done.
		yield* withOpen(to, CREATE, () => done(undefined), transfer.file.mode | PIECED_BITS)
		return false
	})
}

/** Of a plan's files those that it was done for as they are to come now: shared, or else copied. */
export function withShared(transfers: Transfer[], large: Transfer[], shared: boolean[]): Transfer[] {
	const now = new Map(
		large.map((transfer, at) => [
			transfer,
			shared[at] ? { ...transfer, shared: true as const } : { ...transfer, how: 'copied' as const },
		]),
	)
	return transfers.map((transfer) => now.get(transfer) ?? transfer)
}
