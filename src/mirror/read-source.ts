import type { SnapshotFile } from '../cassandra/snapshot.ts'
import { failure } from '../errors.ts'
import { crc32 } from '../files/builtins.ts'
import { READ, readFully } from '../files/contents.ts'
import { atOnce, hasCode, type Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import { close, open, read, stat, withOpen, write } from '../files/operations.ts'
import { isLimited, waitForTurn } from './limit-rate.ts'
import { isProof } from './proof.ts'
import type { Piece } from './slices.ts'
import { SourceChanged } from './source-changed.ts'

const CHUNK_BYTES = 256 * 1024
/** So much is read from the node's disk on the spot: more could keep calls to the haven waiting. */
const SMALL_BYTES_MAX = 64 * 1024
const freeChunks: Buffer[] = []

/** Works with a buffer that is used again and again. */
function* withChunk<T>(work: (chunk: Buffer) => Io<T>): Io<T> {
	const chunk = takeChunk()
	try {
		return yield* work(chunk)
	} finally {
		freeChunks.push(chunk)
	}
}

function takeChunk(): Buffer {
	return freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
}

interface Pump {
	source: number
	target: number
	piece: Piece
	file: SnapshotFile
	stopped: Int32Array
}

/** What was read: its CRC-32, and where it is a proof its text, of which no more counts than a chunk or two have. */
interface Sum {
	crc: number
	text: string | undefined
}

/**
 * Copies a piece from one opened file into another, and gives its checksum. It reads one byte more than expected at the
 * end of a file, so that one that grew shows: then it throws SourceChanged.
 */
export function* pump({ source, target, piece, file: { path, size }, stopped }: Pump): Io<Sum> {
	const { offset, length, whole } = piece
	const isLast = offset + length === size
	const expected = isLast ? length + 1 : length
	let done = 0
	let crc = 0
	let text = isProof(path) ? '' : undefined
	const chunk = takeChunk()
	try {
		while (done < expected) {
			const most = Math.min(chunk.length, expected - done)
			if (isLimited()) yield* waitForTurn(most, stopped)
			goOnUnless(stopped)
			const got = yield* readSource(source, chunk, most, whole ? null : offset + done, path)
			if (got === 0) break
			const bytes = chunk.subarray(0, got)
			crc = crc32(bytes, crc)
			let written = yield* write(target, chunk, 0, got, whole ? null : offset + done)
			while (written < got) {
				written += yield* write(target, chunk, written, got - written, whole ? null : offset + done + written)
			}
			done += got
			if (text !== undefined && text.length < CHUNK_BYTES) text += bytes.toString('latin1')
			// The end of a file that is as long as it was: no call is needed to see that nothing follows a short read.
			if (isLast && done === length && got < chunk.length) break
		}
	} finally {
		freeChunks.push(chunk)
	}
	if (done !== length) throw sizeChanged(path, length, done)
	return { crc, text }
}

interface Reading {
	fd: number
	piece: Piece
	file: SnapshotFile
	stopped: Int32Array
}

/** Reads a file, or a piece of one, for its checksum. Throws SourceChanged where it has another length by now. */
export function* checksum({ fd, piece, file: { size, path }, stopped }: Reading): Io<Sum> {
	const { offset, length, whole } = piece
	// A byte more at the end of a file, so that one that grew shows.
	const expected = offset + length === size ? length + 1 : length
	return yield* withChunk(function* (chunk) {
		let crc = 0
		let done = 0
		let text = isProof(path) ? '' : undefined
		while (done < expected) {
			if (isLimited() && done < length) yield* waitForTurn(Math.min(chunk.length, length - done), stopped)
			goOnUnless(stopped)
			const most = Math.min(chunk.length, expected - done)
			const got = yield* readSource(fd, chunk, most, whole ? null : offset + done, path)
			if (got === 0) break
			crc = crc32(chunk.subarray(0, got), crc)
			done += got
			if (text !== undefined && text.length < CHUNK_BYTES) text += chunk.toString('latin1', 0, got)
			if (done === length && got < most) break
		}
		if (done !== length) throw sizeChanged(path, length, done)
		return { crc, text }
	})
}

/** Throws where it is to be stopped: waiting for the end of a file, or of many, could take longer than a stop may. */
export function goOnUnless(stopped: Int32Array): void {
	if (Atomics.load(stopped, 0) !== 0) throw new Error('it was stopped in the middle of a snapshot')
}

function* readSource(fd: number, chunk: Buffer, length: number, position: number | null, path: string): Io<number> {
	try {
		const work = read(fd, chunk, 0, length, position)
		return yield* length <= SMALL_BYTES_MAX ? atOnce(work) : work
	} catch (error) {
		if (hasCode(error))
			throw failure(
				`can’t read ${path} on the node: ${error.message}`,
				'Look in the kernel’s log for errors of that disk.',
				error,
			)
		throw error
	}
}

/** Opens a file on the node. What is gone or has become a link is looked at again; what can't be read is told. */
export function* openSource(from: PathLike, path: string): Io<number> {
	try {
		return yield* open(from, READ)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ELOOP')) throw new SourceChanged(`${path} is gone or another`)
		if (hasCode(error))
			throw failure(
				`can’t open ${path} on the node: ${error.message}`,
				'Run as a user who may read Cassandra’s data.',
				error,
			)
		throw error
	}
}

/** The text of a small file on the node, of which no more than a chunk counts. */
export function* readText(from: PathLike, path: string): Io<string> {
	const source = yield* openSource(from, path)
	try {
		return yield* withChunk(function* (chunk) {
			let done = 0
			for (let got = -1; got !== 0 && done < chunk.length; done += got) {
				got = yield* readSource(source, chunk.subarray(done), chunk.length - done, null, path)
			}
			return chunk.toString('latin1', 0, done)
		})
	} finally {
		yield* close(source)
	}
}

/** The text of a small file that is in the haven. */
export function textOf(path: PathLike): Io<string> {
	return withOpen(path, READ, function* (fd) {
		const { size } = yield* stat(fd)
		const buffer = Buffer.allocUnsafe(Math.min(Number(size), CHUNK_BYTES))
		return buffer.toString('latin1', 0, yield* readFully(fd, buffer, buffer.length, null))
	})
}

function sizeChanged(path: string, expected: number, found: number): SourceChanged {
	return new SourceChanged(`${path} had ${expected} bytes and then ${found > expected ? 'more' : found}`)
}
