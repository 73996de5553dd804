import { each, type Io } from '../files/io.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { readSealed } from '../haven/read-sealed.ts'
import { type Receipt, reusedFrom } from '../haven/receipt.ts'

/** The bytes that are stored on account of each snapshot, by its receipt's id. */
export type Stored = ReadonlyMap<string, number>

/** Fills in what each snapshot reused from which tag, by their whole receipts where the heads do not say it. */
export function* tellReused(base: string, heads: readonly SealedHead[], width: number): Io<void> {
	const silent = heads.filter((head) => head.reusedFrom === undefined && head.reusedByteCount !== 0)
	yield* each(silent, width, function* (head) {
		const read = yield* readSealed(base, head)
		const files: Receipt['files'] = 'receipt' in read ? read.receipt.files : []
		head.reusedFrom = reusedFrom(files)
	})
}

/**
 * What is stored on account of each snapshot: all of it, but for what it shares with a snapshot that was sealed before it
 * and is there still. Of what came with a tag that is gone, each later snapshot is taken to have no more than the one
 * before it, as compactions leave it.
 * @param heads All that is sealed of the tables concerned, with what `tellReused` fills in.
 */
export function storedBytes(heads: readonly SealedHead[]): Stored {
	const stored = new Map<string, number>()
	for (const ofTable of Map.groupBy(heads, ({ keyspace, table }) => `${keyspace}/${table}`).values()) {
		const before = new Set<string>()
		const inherited = new Map<string, number>()
		for (const { id, tag, byteCount, reusedFrom: parts = [] } of ofTable.sort(bySeal)) {
			let shared = 0
			for (const [from, bytes] of parts) {
				const known = before.has(from) ? bytes : Math.min(bytes, inherited.get(from) ?? 0)
				shared += known
				if (known < bytes) inherited.set(from, bytes)
			}
			stored.set(id, byteCount - shared)
			before.add(tag)
		}
	}
	return stored
}

function bySeal(one: SealedHead, other: SealedHead): number {
	return one.sealedAt < other.sealedAt ? -1 : one.sealedAt > other.sealedAt ? 1 : 0
}

/** What some snapshots are in all. */
export interface Sums {
	files: number
	bytes: number
	storedBytes: number
}

/** Adds up snapshots; a haven may have very many. */
export function sumsOf(heads: readonly SealedHead[], stored: Stored): Sums {
	const sums = { files: 0, bytes: 0, storedBytes: 0 }
	for (const { id, fileCount, byteCount } of heads) {
		sums.files += fileCount
		sums.bytes += byteCount
		sums.storedBytes += stored.get(id) ?? byteCount
	}
	return sums
}
