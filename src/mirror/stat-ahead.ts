import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { readdir } from '../files/operations.ts'
import { isBackups, snapshotFolder } from '../haven/layout.ts'
import type { Receipt } from '../haven/receipt.ts'
import { type GatherOrder, keyOf } from './gather-order.ts'
import type { Transfer } from './plan.ts'
import { WHOLE_FILES_MAX } from './slices.ts'

/** Where most of a folder is shared, one listing takes fewer round trips than the stats of those files. */
const SHARE_MIN = 0.5

/**
 * Lists those folders of the haven from which a small snapshot shares files, where many calls are in flight because each
 * takes a round trip: a listing comes with each file's attributes (READDIRPLUS of NFS, RFC 1813, and of FUSE; SMB2
 * QUERY_DIRECTORY), so that the stat of each needs no round trip of its own as long as those are cached, a second or more.
 */
export function* statAhead(order: GatherOrder, transfers: readonly Transfer[], earlier: readonly Receipt[]): Io<void> {
	if (order.budget === 0 || order.width === 1 || transfers.length > WHOLE_FILES_MAX) return
	yield* each(tagsToList(transfers, earlier), order.width, (tag) =>
		list(`${order.base}/${snapshotFolder({ ...keyOf(order), tag })}`),
	)
}

/** Tags of which so much is shared that to list their folders is worth it. Parts of backups share one, which only grows. */
export function tagsToList(
	transfers: readonly Pick<Transfer, 'from'>[],
	earlier: readonly Pick<Receipt, 'tag' | 'fileCount'>[],
): string[] {
	const shared = new Map<string, number>()
	for (const { from } of transfers) if (from) shared.set(from.tag, (shared.get(from.tag) ?? 0) + 1)
	const isWorthIt = ({ tag, fileCount }: (typeof earlier)[number]) => (shared.get(tag) ?? 0) > SHARE_MIN * fileCount
	return earlier.filter((one) => !isBackups(one.tag) && isWorthIt(one)).map(({ tag }) => tag)
}

/** What is wrong with a folder shows in its files, too. */
function* list(folder: string): Io<void> {
	try {
		yield* readdir(pathOf(folder))
	} catch (error) {
		if (!hasCode(error)) throw error
	}
}
