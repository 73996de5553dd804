import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/** What a receipt says, as far as the tests need it (docs/haven-format.md). */
export interface ReceiptText {
	keyspace: string
	table: string
	tag: string
	state: 'whole' | 'damaged' | 'unproven'
	moving?: boolean
	files: { path: string; size: number; mtimeNs: string; crc32: string }[]
}

/** A receipt file: what it says, or why it can't be believed. */
export type FoundReceipt = { file: string } & ({ receipt: ReceiptText } | { broken: string })

/** Every receipt of a haven. Written apart from the product's own reader, so that it can contradict it. */
export function readReceipts(haven: string): FoundReceipt[] {
	return readReceiptsIn(join(haven, '.snaphaven/receipts'))
}

/** The same, with those of live sets and of incremental backups. */
export function readAllReceipts(haven: string): FoundReceipt[] {
	return ['receipts', 'live', 'backups'].flatMap((kind) => readReceiptsIn(join(haven, '.snaphaven', kind)))
}

/** The same in such a folder: that of the receipts of live sets is `.snaphaven/live`. */
export function readReceiptsIn(folder: string): FoundReceipt[] {
	if (!existsSync(folder)) return []
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
		.map((entry) => readReceipt(join(entry.parentPath, entry.name)))
}

/** Each way in which the haven's mirror is not what the receipt says. */
export function liesOf(haven: string, receipt: ReceiptText): string[] {
	return liesIn(placeOf(haven, receipt), receipt)
}

/** Where the files of a snapshot are, of a live set, or of a part of incremental backups: in `backups/`, or in a folder of its own there. */
export function placeOf(haven: string, { keyspace, table, tag }: ReceiptText): string {
	const place = join(haven, 'data', keyspace, table)
	if (tag === '') return place
	if (!tag.startsWith('backups/')) return join(place, 'snapshots', tag)
	return join(place, 'backups', /^backups\/apart\/(.*)$/.exec(tag)?.[1] ?? '')
}

/** The same of the files that stand in this folder. */
export function liesIn(place: string, receipt: ReceiptText): string[] {
	return receipt.files.flatMap((file) => {
		const path = join(place, file.path)
		if (!existsSync(path)) return [`${path} is not there`]
		const bytes = readFileSync(path)
		if (bytes.length !== file.size) return [`${path} has ${bytes.length} bytes, its receipt says ${file.size}`]
		const found = hex(crc32(bytes))
		return found === file.crc32 ? [] : [`${path} has CRC-32 ${found}, its receipt says ${file.crc32}`]
	})
}

/** The last line closes the object with `"checksum":"xxxxxxxx"}`, the CRC-32 of all bytes before that line. */
function readReceipt(file: string): FoundReceipt {
	const bytes = readFileSync(file)
	const end = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length
	const lastLine = bytes.lastIndexOf(10, end - 1) + 1
	const told = /^"checksum":"([0-9a-f]{8})"\}$/.exec(bytes.subarray(lastLine, end).toString())?.[1]
	if (told === undefined) return { file, broken: `${bytes.length} bytes that do not end with a checksum` }
	const found = hex(crc32(bytes.subarray(0, lastLine)))
	if (found !== told) return { file, broken: `it has CRC-32 ${found} and says ${told}` }
	return { file, receipt: JSON.parse(bytes.toString()) }
}

function hex(crc: number): string {
	return crc.toString(16).padStart(8, '0')
}
