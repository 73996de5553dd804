import { each, type Io } from '../files/io.ts'
import { backupsReceiptsFolder, isBackups, type SnapshotKey, snapshotFolder, stamp } from './layout.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { type Receipt, type ReceiptHead, readReceipt, readReceiptHead } from './receipt.ts'
import { namesIn } from './receipt-folders.ts'
import { recordBytes } from './sealed-text.ts'

/** A table, by its folder's name. */
interface Table {
	keyspace: string
	table: string
}

/**
 * The heads of the receipts of a table's incremental backups, the oldest first: those that were looked at at this time
 * (ms since the epoch) or later, by the clock of then. A receipt that does not hold does not count: what it told of comes
 * again.
 */
export function readBackupsHeads(base: string, table: Table, sinceMs?: number): Io<ReceiptHead[]> {
	return readEach(base, table, (names) => since(names, sinceMs), readReceiptHead)
}

/** The same receipts whole. */
export function readBackups(base: string, table: Table, sinceMs?: number): Io<Receipt[]> {
	return readEach(base, table, (names) => since(names, sinceMs), readReceipt)
}

function since(names: string[], sinceMs?: number): string[] {
	if (sinceMs === undefined || !(Math.abs(sinceMs) < TIME_MS_MAX)) return names
	const first = stamp(new Date(sinceMs).toISOString())
	return names.filter((name) => name >= first)
}

/** What Date can tell, and names have four digits for the year of. */
const TIME_MS_MAX = Date.UTC(9999, 0)

/** Of so many parts that came last, files are shared with what comes next; more of them cost more to read. */
const PARTS_TO_SHARE = 16

/** The whole receipts of the parts that came last, whose files may be shared. */
export function readLastBackups(base: string, table: Table): Io<Receipt[]> {
	return readEach(base, table, (names) => names.slice(-PARTS_TO_SHARE), readReceipt)
}

/** The head of the receipt that came last. */
export function* readLastBackupsHead(base: string, table: Table): Io<ReceiptHead | undefined> {
	return (yield* readEach(base, table, (names) => names.slice(-1), readReceiptHead))[0]
}

const RECEIPTS_IN_FLIGHT = 16

function* readEach<T extends ReceiptHead>(
	base: string,
	table: Table,
	choose: (names: string[]) => string[],
	read: (bytes: Buffer) => T | undefined,
): Io<T[]> {
	const folder = `${base}/${backupsReceiptsFolder(table)}`
	const names = (yield* namesIn(folder)).filter((name) => name.endsWith('.json')).sort()
	const receipts = yield* each(choose(names), RECEIPTS_IN_FLIGHT, function* (name) {
		const bytes = yield* recordBytes(`${folder}/${name}`, RECEIPT_BYTES_MAX)
		return bytes && read(bytes)
	})
	return receipts.filter((receipt) => receipt !== undefined && isBackups(receipt.tag)) as T[]
}

/** The files, relative to the haven, that other parts of a table's incremental backups have; of anything else none. */
export function* namesOtherPartsHave(base: string, key: SnapshotKey): Io<Set<string>> {
	const names = new Set<string>()
	if (!isBackups(key.tag)) return names
	const folder = `${base}/${backupsReceiptsFolder(key)}`
	for (const name of yield* namesIn(folder)) {
		const bytes = yield* recordBytes(`${folder}/${name}`, RECEIPT_BYTES_MAX)
		const receipt = bytes && readReceipt(bytes)
		if (!receipt || receipt.tag === key.tag) continue
		for (const { path } of receipt.files) names.add(`${snapshotFolder(receipt)}/${path}`)
	}
	return names
}
