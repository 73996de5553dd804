import { each, type Io } from '../files/io.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { readSealed } from '../haven/read-sealed.ts'

/** Fills in how many bytes of each snapshot were reused, by their whole receipts where the heads do not say it. */
export function* tellReused(base: string, heads: readonly SealedHead[], width: number): Io<void> {
	const silent = heads.filter(({ reusedByteCount }) => reusedByteCount === undefined)
	yield* each(silent, width, function* (head) {
		head.reusedByteCount = yield* reusedBytes(base, head)
	})
}

/** The bytes that came with a snapshot, those aside that it shares with an earlier one of its table. */
export function storedBytes({ byteCount, reusedByteCount = 0 }: SealedHead): number {
	return byteCount - reusedByteCount
}

/** What some snapshots are in all. */
export interface Sums {
	files: number
	bytes: number
	/** Bytes that came new with them. */
	storedBytes: number
}

/** Adds up snapshots; a haven may have very many. */
export function sumsOf(heads: readonly SealedHead[]): Sums {
	const sums = { files: 0, bytes: 0, storedBytes: 0 }
	for (const head of heads) {
		sums.files += head.fileCount
		sums.bytes += head.byteCount
		sums.storedBytes += storedBytes(head)
	}
	return sums
}

function* reusedBytes(base: string, head: SealedHead): Io<number> {
	const read = yield* readSealed(base, head)
	if (!('receipt' in read)) return 0
	return read.receipt.files.reduce((sum, { how, size }) => (how === 'reused' ? sum + size : sum), 0)
}
