import { readWhole } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { receiptPath, receiptsFolder, type SnapshotKey } from './layout.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { type Receipt, type ReceiptHead, readReceipt, readReceiptHead } from './receipt.ts'

/** A receipt that is there but does not hold: named, never gone by. */
export interface BadReceipt {
	path: string
	reason: string
}

/** The heads of a table's receipts, by tag. */
export function* readTableHeads(
	base: string,
	table: { keyspace: string; table: string },
): Io<{ heads: Map<string, ReceiptHead>; bad: BadReceipt[] }> {
	const folder = receiptsFolder(table)
	const heads = new Map<string, ReceiptHead>()
	const bad: BadReceipt[] = []
	for (const name of yield* receiptNames(`${base}/${folder}`)) {
		const path = `${folder}/${name}`
		const head = readReceiptHead(yield* readWhole(`${base}/${path}`, RECEIPT_BYTES_MAX))
		if (head) heads.set(head.tag, head)
		else bad.push({ path, reason: 'its checksum does not hold' })
	}
	return { heads, bad }
}

/** A snapshot's receipt; undefined where there is none, or none that holds. */
export function* readSnapshotReceipt(base: string, key: SnapshotKey): Io<Receipt | undefined> {
	try {
		return readReceipt(yield* readWhole(`${base}/${receiptPath(key)}`, RECEIPT_BYTES_MAX))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
}

function* receiptNames(folder: string): Io<string[]> {
	try {
		return (yield* readdir(folder)).filter((name) => name.endsWith('.json'))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return []
		throw error
	}
}
