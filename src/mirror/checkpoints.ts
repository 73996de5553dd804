import type { DonePiece } from '../haven/progress.ts'
import { checkFlushes } from './flush-haven.ts'
import { type GatherOrder, keyOf } from './gather-order.ts'
import type { Pass, Writing } from './pass.ts'
import { SLICE_BYTES_MAX } from './slices.ts'

/** Notes down, as a large snapshot is gathered, what is durable of it, so that a restart goes on from there. */
export interface Checkpoints {
	/** These pieces were written. They are noted down once enough of them have come. */
	done: (pieces: DonePiece[]) => Promise<void>
	/** What an earlier run had gathered was taken over, and is noted down. */
	wentOn: () => void
	/** Notes down what is left; false where there is nothing that a restart could go on with. */
	finish: () => Promise<boolean>
}

/** So much is copied again, at most, after a stop. */
const CHECKPOINT_BYTES = 4 * SLICE_BYTES_MAX

/** One flush and one note at a time; `order` says which snapshot, and whether its pieces were flushed one by one. */
export function keepCheckpoints({ engine, haven }: Pass, { lease }: Writing, order: GatherOrder): Checkpoints {
	let waiting: DonePiece[] = []
	let bytes = 0
	let noted = false
	let running: Promise<void> = Promise.resolve()
	const note = async () => {
		const pieces = waiting
		waiting = []
		bytes = 0
		if (pieces.length === 0 || !haven) return
		if (!order.flushEach) {
			await haven.flushFileSystem()
			checkFlushes(haven, [order])
		}
		await engine.run(
			'appendProgress',
			haven.base,
			{ partial: lease.partial, number: order.number, key: keyOf(order) },
			pieces,
		)
		noted = true
	}
	return {
		done: async (pieces) => {
			waiting.push(...pieces)
			bytes += pieces.reduce((sum, { length }) => sum + length, 0)
			if (bytes < CHECKPOINT_BYTES) return
			running = running.then(note)
			await running
		},
		wentOn: () => {
			noted = true
		},
		finish: async () => {
			try {
				await running
				await note()
				return noted
			} catch {
				return noted
			}
		},
	}
}
