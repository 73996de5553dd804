import { crc32 } from '../files/builtins.ts'

/** A record of a transaction log (Cassandra's org.apache.cassandra.db.lifecycle.LogRecord) whose checksum is right. */
export interface TransactionRecord {
	/** ADD: new files, to stay if it commits. REMOVE: old ones, to go if it commits. The others end the log. */
	type: 'ADD' | 'REMOVE' | 'COMMIT' | 'ABORT'
	/** What the names of the SSTable's files begin with, by the node's own path: `/…/orders-<id>/da-5-bti-`. */
	prefix: string
	/** REMOVE: the mtime of the youngest of its files but Statistics.db, in ms since the epoch; versions differ by less than 1 s. */
	updateTime: bigint
	/** ADD, REMOVE: how many files it has, at least. */
	files: number
}

/** One line of a log. */
interface TransactionLine {
	/** Undefined where the line is no record, or one with a wrong checksum. */
	record: TransactionRecord | undefined
	/** The same for lines that Cassandra takes for the same record, of which a log may have one. */
	key: string
}

/**
 * 3.0 to 4.1 name it `nb_txn_compaction_<uuid>.log`, 5.0 `bti-da_txn_compaction_<uuid>.log` too, and reads it without a
 * version: one pattern for all of them, and for operations to come (LogFile.FILE_REGEX).
 */
const LOG_NAME = /^(?:(?:[a-z]+-)?.{2}_)?txn_.*_.*\.log$/

/** Whether a file of a table's folder is a transaction log, by its name. */
export function isLogName(name: string): boolean {
	return LOG_NAME.test(name)
}

const RECORD = /^(add|remove|commit|abort):\[([^,]*),?([^,]*),?([^,]*)\]\[(\d+)\]$/i
const NUMBER = /^[+-]?\d+$/

/** Reads a line as Cassandra does; what it could not parse, or whose checksum differs, is no record. */
export function parseRecord(line: string): TransactionLine {
	const [whole, word = '', path = '', time = '', count = '', checksum = ''] = RECORD.exec(line) ?? []
	if (whole === undefined || !NUMBER.test(time) || !NUMBER.test(count)) return { record: undefined, key: '' }
	const type = word.toUpperCase() as TransactionRecord['type']
	const namesFiles = type === 'ADD' || type === 'REMOVE'
	const updateTime = type === 'REMOVE' ? BigInt(time) : 0n
	const files = namesFiles ? Number(count) : 0
	const key = `${type} ${namesFiles ? path : ''} ${updateTime} ${files}`
	if (BigInt(checksum) !== BigInt(checksumOf(type, namesFiles ? path : '', updateTime, files)))
		return { record: undefined, key }
	return { record: { type, prefix: namesFiles ? withDash(path) : '', updateTime, files }, key }
}

/** Up to 3.11 the path is written without the dash that ends it. */
function withDash(path: string): string {
	return path.endsWith('-') ? path : `${path}-`
}

/** CRC-32 of the path, the type's name, the time as its low and its high half, and the number (LogRecord.computeChecksum). */
function checksumOf(type: string, path: string, updateTime: bigint, files: number): number {
	const numbers = Buffer.alloc(12)
	numbers.writeUInt32BE(Number(BigInt.asUintN(32, updateTime)), 0)
	numbers.writeUInt32BE(Number(BigInt.asUintN(32, updateTime >> 32n)), 4)
	numbers.writeUInt32BE(files >>> 0, 8)
	return crc32(numbers, crc32(path + type))
}

/** Whether a line that is no record may be the beginning of one that ends the log, which names no files. */
export function mayEndLog(line: string): boolean {
	return line !== '' && ['COMMIT:[,0,0][', 'ABORT:[,0,0]['].some((end) => isStart(line, end))
}

function isStart(line: string, end: string): boolean {
	return line.length <= end.length ? end.startsWith(line) : line.startsWith(end) && /^\d*$/.test(line.slice(end.length))
}
