import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { gathering } from '../haven/layout.ts'
import { onHaven } from '../haven/trouble.ts'
import type { GatherOrder } from './gather-order.ts'
import { type GatheredFile, type ReusableFile, unprovenTexts } from './proof.ts'
import { textOf } from './read-source.ts'

/** Gathered files as proofs need them: what is reused is read in the gathering folder, where its text is needed. */
export function* withTexts(
	order: Pick<GatherOrder, 'base' | 'partial' | 'number' | 'width'>,
	files: readonly ReusableFile[],
): Io<GatheredFile[]> {
	const needed = new Set(unprovenTexts(files))
	const folder = `${order.base}/${gathering.folder(order.partial, order.number)}`
	return yield* each(files, order.width, function* ({ path, crc, text }): Io<GatheredFile> {
		if (!needed.has(path)) return { path, crc, text }
		return { path, crc, text: yield* onHaven(textOf(pathOf(`${folder}/${path}`))) }
	})
}
