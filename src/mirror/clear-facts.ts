import type { Io } from '../files/io.ts'
import { readDoubts } from '../haven/doubt.ts'
import { clearFacts, hasFactsFolder } from '../haven/facts.ts'
import { listReceiptFolders, listReceiptsIn } from '../haven/receipt-folders.ts'

/**
 * Removes the node's facts that no tag of a sealed snapshot needs any more; by the names of receipts alone, which are
 * those of the tags' notes. Nothing is removed while snapshots are in doubt. Call only while nothing is being published.
 */
export function* clearUnneededFacts(base: string, partial: string): Io<void> {
	if (!(yield* hasFactsFolder(base)) || (yield* readDoubts(base)).length > 0) return
	const folders = yield* listReceiptFolders(base, () => true)
	const receipts = (yield* listReceiptsIn(base, folders, () => true)).flat()
	const names = new Set(receipts.map((path) => path.slice(path.lastIndexOf('/') + 1)))
	yield* clearFacts(base, partial, names)
}
