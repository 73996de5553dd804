import { READ, readFully } from '../files/contents.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { withOpen } from '../files/operations.ts'
import { receiptPath } from './layout.ts'
import { isSealedHead, type ReceiptHead } from './receipt.ts'
import type { BadReceipt } from './receipts.ts'

/** A receipt's head as far as a reader needs it. */
export type SealedHead = Omit<ReceiptHead, 'source'>

/** What reading a head gave: the head, why the receipt does not hold, or nothing where it is gone by now. */
export type HeadRead = { head: SealedHead } | { bad: BadReceipt } | undefined

/**
 * Reads the heads of receipts, and nothing else of them: so their checksums are not tested. A head that can't be one of
 * the receipt that stands there is told as bad.
 */
export function readHeads(base: string, paths: string[], width: number): Io<HeadRead[]> {
	return each(paths, width, (path) => readOne(base, path))
}

function* readOne(base: string, path: string): Io<HeadRead> {
	try {
		return understand(path, yield* firstLine(`${base}/${path}`))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		if (!hasCode(error, 'EIO', 'EACCES', 'ELOOP', 'EISDIR', 'ENXIO')) throw error
		return { bad: { path, reason: `it can’t be read (${error.code})` } }
	}
}

const HEAD_BYTES = 4096
/** A head has an entry for each data directory and each secondary index. */
const HEAD_BYTES_MAX = 16 * 1024 * 1024

/** A file's first line without its end; undefined where it has none within bounds. */
function firstLine(path: string): Io<string | undefined> {
	return withOpen(path, READ, function* (fd) {
		let bytes = Buffer.allocUnsafe(HEAD_BYTES)
		let got = yield* readFully(fd, bytes, 0, 0)
		for (;;) {
			const end = bytes.subarray(0, got).indexOf(LINE_FEED)
			if (end !== -1) return bytes.toString('utf8', 0, end)
			if (got < bytes.length || bytes.length >= HEAD_BYTES_MAX) return undefined
			bytes = Buffer.allocUnsafe(bytes.length * 8)
			got = yield* readFully(fd, bytes, 0, 0)
		}
	})
}

const LINE_FEED = 10

function understand(path: string, line: string | undefined): HeadRead {
	const head = parseHead(line)
	if (head === undefined) return { bad: { path, reason: 'its head can’t be understood' } }
	if (receiptPath(head) === path) return { head }
	return { bad: { path, reason: `it is the receipt of another snapshot, ${head.keyspace}/${head.table}/${head.tag}` } }
}

function parseHead(line = ''): SealedHead | undefined {
	try {
		const { source: _, ...head }: ReceiptHead = JSON.parse(`${line.slice(0, -1)}}`)
		return isSealedHead(head) ? head : undefined
	} catch {
		return undefined
	}
}
