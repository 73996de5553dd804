import { createFile } from '../files/contents.ts'
import type { Io } from '../files/io.ts'
import { marking, receiptPath, type SnapshotKey } from './layout.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { markMoving } from './receipt.ts'
import { move } from './renames.ts'
import { recordBytes } from './sealed-text.ts'

/** A sealed snapshot whose receipt is to say that snaphaven itself deletes it on the node. */
export interface Mark {
	/** Its number under the token: what `marking` makes its path of. */
	number: number
	key: SnapshotKey
	/** The `id` of the receipt that is meant: that of another seal is left as it is. */
	receiptId: string
}

/** Writes the marked receipt beside. False where the snapshot's receipt is not the one that is meant. */
export function* draftMark(
	base: string,
	partial: string,
	{ number, key, receiptId }: Mark,
	flush: boolean,
): Io<boolean> {
	const bytes = yield* recordBytes(`${base}/${receiptPath(key)}`, RECEIPT_BYTES_MAX)
	const marked = bytes && markMoving(bytes)
	if (marked?.id !== receiptId) return false
	yield* createFile(`${base}/${marking.receipt(partial, number)}`, marked.text, { mode: 0o644, flush })
	return true
}

/** Puts the marked receipt into the other's place. Call only when the draft is durable; durable with the next flush. */
export function putMark(base: string, partial: string, { number, key }: Mark): Io<void> {
	return move(base, marking.receipt(partial, number), receiptPath(key))
}
