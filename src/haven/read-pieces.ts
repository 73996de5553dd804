import { crc32 } from '../files/builtins.ts'
import { READ } from '../files/contents.ts'
import { codeOf, each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { read, withOpen } from '../files/operations.ts'

/** A part of a file that is to be read. */
export interface PieceToRead {
	/** Relative to the haven, or absolute. */
	path: string
	offset: number
	length: number
	/** It ends the file: that there is nothing after it is seen too. */
	isLast: boolean
	/** Give its bytes as text too. */
	text: boolean
}

/** What reading it gave: the CRC-32 and the bytes that were there, or why it could not be read. */
export type PieceRead = { crc: number; length: number; text?: string } | { code: string }

/** Reads pieces and computes their CRC-32, as far as they go. A system call that fails is that piece's result. */
export function readPieces(base: string, pieces: PieceToRead[], width: number): Io<PieceRead[]> {
	return each(pieces, width, function* (piece) {
		const buffer = buffers.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
		try {
			const path = piece.path.startsWith('/') ? piece.path : `${base}/${piece.path}`
			return yield* withOpen(pathOf(path), READ, (fd) => readPiece(fd, piece, buffer))
		} catch (error) {
			const code = codeOf(error)
			if (code === undefined) throw error
			return { code }
		} finally {
			buffers.push(buffer)
		}
	})
}

const CHUNK_BYTES = 1024 * 1024

/** Kept from job to job: memory outside of the heap that comes and goes has V8 collect its garbage each time. */
const buffers: Buffer[] = []

function* readPiece(fd: number, { offset, length, isLast, text }: PieceToRead, buffer: Buffer): Io<PieceRead> {
	let crc = 0
	let done = 0
	const texts: Buffer[] = []
	// One byte more than there should be: a file that has grown shows.
	const wanted = isLast ? length + 1 : length
	while (done < wanted) {
		const asked = Math.min(buffer.length, wanted - done)
		const got = yield* read(fd, buffer, 0, asked, offset + done)
		if (got === 0) break
		const chunk = buffer.subarray(0, got)
		crc = crc32(chunk, crc)
		if (text) texts.push(Buffer.from(chunk))
		done += got
		// A file's end: one call less for each.
		if (got < asked && done >= length) break
	}
	return { crc, length: done, ...(text ? { text: Buffer.concat(texts).toString('utf8') } : {}) }
}
