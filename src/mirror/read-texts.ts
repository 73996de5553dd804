import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { gathering } from '../haven/layout.ts'
import { onHaven } from '../haven/trouble.ts'
import type { GatherOrder } from './gather-order.ts'
import type { Transfer } from './plan.ts'
import { doubtfulTocs, type GatheredFile, type ReusableFile, unprovenDigests } from './proof.ts'
import { goOnUnless, textOf } from './read-source.ts'

/** Marks what is to be reused and to be read all the same, for the proofs of a snapshot; of a live set the digests alone. */
export function markTexts(transfers: Transfer[], what: 'snapshot' | 'live set'): Transfer[] {
	const files = transfers.map(({ file: { path }, how, from }) => ({ path, how, from }))
	const needed = new Set([...unprovenDigests(files), ...(what === 'snapshot' ? doubtfulTocs(files) : [])])
	return transfers.map((one) => (one.how === 'reused' && needed.has(one.file.path) ? { ...one, read: true } : one))
}

/**
 * Gathered files as proofs need them. A digest that nobody has read yet, since its Data.db was to be reused with it and
 * was copied in the end, is read in the gathering folder.
 */
export function* withTexts(
	order: Pick<GatherOrder, 'base' | 'partial' | 'number' | 'width' | 'stopped'>,
	files: readonly (ReusableFile & GatheredFile)[],
): Io<GatheredFile[]> {
	const unread = new Set(files.flatMap(({ path, text }) => (text === undefined ? [path] : [])))
	const needed = unprovenDigests(files).filter((path) => unread.has(path))
	const folder = `${order.base}/${gathering.folder(order.partial, order.number)}`
	const texts = yield* each(needed, order.width, (path) => {
		goOnUnless(order.stopped)
		return onHaven(textOf(pathOf(`${folder}/${path}`)))
	})
	const read = new Map(needed.map((path, index) => [path, texts[index]]))
	return files.map(({ path, crc, text }) => ({ path, crc, text: text ?? read.get(path) }))
}
