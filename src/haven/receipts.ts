import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { receiptPath, receiptsFolder, type SnapshotKey } from './layout.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { type Receipt, type ReceiptHead, readReceipt, readReceiptHead, whyNoReceipt } from './receipt.ts'
import { checkedText, checksumOf, recordBytes } from './sealed-text.ts'

/** A receipt that is there but does not hold: named, never gone by. */
export interface BadReceipt {
	path: string
	reason: string
}

/** A table's receipts, of which only those are read that are asked for. */
export interface TableReceipts {
	/** The head of a tag's receipt; undefined where there is none, or none that holds. */
	head: (tag: string) => Io<ReceiptHead | undefined>
	/** The heads of all. */
	all: () => Io<ReceiptHead[]>
	/** Those that were read and do not hold. */
	bad: BadReceipt[]
}

/** Lists a table's receipts. */
export function* listReceipts(base: string, table: { keyspace: string; table: string }): Io<TableReceipts> {
	const folder = receiptsFolder(table)
	const names = yield* receiptNames(`${base}/${folder}`)
	const there = new Set(names)
	const known = new Map<string, ReceiptHead | undefined>()
	const bad: BadReceipt[] = []
	function* read(name: string): Io<ReceiptHead | undefined> {
		if (known.has(name)) return known.get(name)
		const path = `${folder}/${name}`
		const head = yield* readHead(`${base}/${path}`)
		if (head && 'reason' in head) bad.push({ path, ...head })
		known.set(name, isRead(head) ? head : undefined)
		return known.get(name)
	}
	return {
		*head(tag) {
			const name = receiptPath({ ...table, tag }).slice(folder.length + 1)
			return there.has(name) ? yield* read(name) : undefined
		},
		*all() {
			const heads: ReceiptHead[] = []
			for (const name of names) {
				const head = yield* read(name)
				if (head) heads.push(head)
			}
			return heads
		},
		bad,
	}
}

/** A receipt's head; undefined where it has just gone, the reason where it does not hold. */
function* readHead(path: string): Io<ReceiptHead | { reason: string } | undefined> {
	const bytes = yield* recordBytes(path, RECEIPT_BYTES_MAX)
	return bytes && (readReceiptHead(bytes) ?? { reason: whyNoReceipt(bytes) })
}

function isRead(head: ReceiptHead | { reason: string } | undefined): head is ReceiptHead {
	return head !== undefined && !('reason' in head)
}

/** A snapshot's receipt; undefined where there is none, or none that holds. */
export function* readSnapshotReceipt(base: string, key: SnapshotKey): Io<Receipt | undefined> {
	const bytes = yield* recordBytes(`${base}/${receiptPath(key)}`, RECEIPT_BYTES_MAX)
	return bytes && readReceipt(bytes)
}

/** A snapshot's receipt without its files; undefined as for readSnapshotReceipt. */
export function* readSnapshotHead(base: string, key: SnapshotKey): Io<ReceiptHead | undefined> {
	const head = yield* readHead(`${base}/${receiptPath(key)}`)
	return isRead(head) ? head : undefined
}

/** The checksum of a receipt; undefined where there is none, or none that holds. */
export function* checksumAt(base: string, path: string): Io<string | undefined> {
	const bytes = yield* recordBytes(`${base}/${path}`, RECEIPT_BYTES_MAX)
	const text = bytes && checkedText(bytes)
	return text && checksumOf(text)
}

function* receiptNames(folder: string): Io<string[]> {
	try {
		return (yield* readdir(folder)).filter((name) => name.endsWith('.json'))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return []
		throw error
	}
}
