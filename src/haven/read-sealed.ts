import { hasCode, type Io } from '../files/io.ts'
import { readDoubts } from './doubt.ts'
import { receiptPath, type SnapshotKey } from './layout.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { type Receipt, readReceipt, whyNoReceipt } from './receipt.ts'
import { recordBytes } from './sealed-text.ts'

/** A whole receipt that may be believed, or why there is none: `gone`, or what is wrong with it. */
export type SealedRead = { receipt: Receipt } | { problem: string; gone: boolean }

/**
 * Reads a snapshot's whole receipt, and believes it only where its checksum holds, it is that snapshot's, and no path in
 * it leads out of the snapshot's folder.
 */
export function* readSealed(base: string, key: SnapshotKey): Io<SealedRead> {
	let bytes: Buffer | undefined
	try {
		bytes = yield* recordBytes(`${base}/${receiptPath(key)}`, RECEIPT_BYTES_MAX)
		if (bytes === undefined) return { problem: 'its receipt is gone', gone: true }
	} catch (error) {
		if (!hasCode(error)) throw error
		return { problem: `its receipt can’t be read (${error.code})`, gone: false }
	}
	const receipt = readReceipt(bytes)
	const problem =
		receipt === undefined ? `its receipt does not count: ${whyNoReceipt(bytes)}` : whyNotBelieved(receipt, key)
	return receipt && problem === undefined ? { receipt } : { problem: problem ?? '', gone: false }
}

function whyNotBelieved(receipt: Receipt, { keyspace, table, tag }: SnapshotKey): string | undefined {
	if (receipt.keyspace !== keyspace || receipt.table !== table || receipt.tag !== tag) {
		return `what stands as its receipt is another snapshot’s, ${receipt.keyspace}/${receipt.table}/${receipt.tag}`
	}
	return undefined
}

/**
 * What became of a snapshot since its receipt was read: to be asked before something is called damage. `same`: its
 * receipt is the one of that id, and no intent names it; `in doubt`: it is being sealed or removed, or a run was killed
 * meanwhile; `another`: it was sealed anew, so that all starts over; `gone`: it was removed.
 */
export function* whatBecameOf(
	base: string,
	key: SnapshotKey,
	id: string,
): Io<'same' | 'in doubt' | 'another' | 'gone' | 'damaged'> {
	const doubts = yield* readDoubts(base)
	if (doubts.some((one) => isSame(one, key))) return 'in doubt'
	const again = yield* readSealed(base, key)
	if ('receipt' in again) return again.receipt.id === id ? 'same' : 'another'
	return again.gone ? 'gone' : 'damaged'
}

function isSame(one: SnapshotKey, other: SnapshotKey): boolean {
	return one.keyspace === other.keyspace && one.table === other.table && one.tag === other.tag
}
