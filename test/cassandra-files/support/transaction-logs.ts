import { crc32 } from 'node:zlib'

/** A record of a transaction log, as a test makes it. */
export interface MadeRecord {
	type: 'ADD' | 'REMOVE' | 'COMMIT' | 'ABORT'
	/** The SSTable's path as the node sees it, with its last dash. */
	path?: string
	/** Of a REMOVE, in ms since the epoch. */
	time?: number
	files?: number
}

/** The line of a record as Cassandra 4.0 and later write it, without its end. */
export function lineOf({ type, path = '', time = 0, files = 0 }: MadeRecord): string {
	const words = new DataView(new ArrayBuffer(12))
	words.setInt32(0, Number(BigInt(time) & 0xffff_ffffn))
	words.setInt32(4, Number(BigInt(time) >> 32n))
	words.setInt32(8, files)
	const sum = crc32(Buffer.concat([Buffer.from(path), Buffer.from(type), Buffer.from(words.buffer)]))
	return `${type}:[${path},${time},${files}][${sum}]`
}

/** The text of a log. */
export function textOf(records: MadeRecord[]): string {
	return records.map((record) => `${lineOf(record)}\n`).join('')
}
