import type { Io } from '../files/io.ts'
import { atOnce, each } from '../files/io.ts'
import type { GatherAnswer, GatherOrder, Plan } from './gather-order.ts'
import { doubtfulTocs, findMissing, type GatheredFile } from './proof.ts'
import { readText } from './read-source.ts'
import { withSourceFolders } from './source-folders.ts'

/** Why a snapshot is never settled, if a TOC.txt names what an SSTable needs and is not there. */
export function incomplete(
	files: readonly Omit<GatheredFile, 'crc'>[],
): Extract<GatherAnswer, { answer: 'not settled' }> | undefined {
	const missing = findMissing(files)
	if (missing === undefined) return undefined
	const reason = `TOC.txt names ${missing}, which is not there`
	return { answer: 'not settled', verdict: { verdict: 'broken', reason } }
}

/** The same on the node, before anything of a large snapshot is copied. Throws SourceChanged. */
export function* checkContents(order: GatherOrder, { listing, transfers }: Plan): Io<GatherAnswer | undefined> {
	const files = transfers.map(({ file }) => file)
	const doubtful = new Set(doubtfulTocs(files))
	if (doubtful.size === 0) return undefined
	return yield* withSourceFolders(order.location, order.tag, listing.dataDirectories, function* (source) {
		const texts = yield* each(files, order.width, function* (file) {
			if (!doubtful.has(file.path)) return { path: file.path }
			return { path: file.path, text: yield* atOnce(readText(yield* source.pathOf(file), file.path)) }
		})
		return incomplete(texts)
	})
}
