import { each, type Io } from '../files/io.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { readSealed } from '../haven/read-sealed.ts'

/** The bytes that came with a snapshot, those aside that it shares with an earlier one of its table; by its head's id. */
export function* storedBytes(base: string, heads: readonly SealedHead[], width: number): Io<Map<string, number>> {
	const pairs = yield* each(heads, width, function* (head): Io<[string, number]> {
		return [head.id, head.byteCount - (head.reusedByteCount ?? (yield* reusedBytes(base, head)))]
	})
	return new Map(pairs)
}

function* reusedBytes(base: string, head: SealedHead): Io<number> {
	const read = yield* readSealed(base, head)
	if (!('receipt' in read)) return 0
	return read.receipt.files.reduce((sum, { how, size }) => (how === 'reused' ? sum + size : sum), 0)
}
