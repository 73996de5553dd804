import type { SnapshotFile } from '../cassandra/snapshot.ts'
import { failure } from '../errors.ts'
import { constants, crc32 } from '../files/builtins.ts'
import { CREATE, ownAs, READ, writeFully } from '../files/contents.ts'
import { itself } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { type PathLike, pathOf } from '../files/names.ts'
import {
	close,
	fchmod,
	fsync,
	futimes,
	link,
	lstatIfThere,
	open,
	read,
	reflink,
	stat,
	unlink,
	withOpen,
} from '../files/operations.ts'
import type { Origin } from '../haven/receipt.ts'
import type { Transfer } from './plan.ts'
import { isProof } from './proof.ts'
import type { Piece } from './slices.ts'
import { SourceChanged } from './source-changed.ts'

/** What a piece that came over was. */
export interface PieceResult {
	/** CRC-32 of the piece's bytes. */
	crc: number
	/** How it came in the end: what could not be linked was copied. */
	how: Origin
	/** The contents of a Digest.crc32 or TOC.txt, as far as the first read gave them. */
	text?: string | undefined
}

interface TransferOrder {
	transfer: Transfer
	piece: Piece
	/** Where it is on the node. */
	from: PathLike
	/** Where it goes, in the gathering folder. */
	to: PathLike
	/** `reused`: where the haven has it. */
	has: string | undefined
	/** Force it to stable storage before it is closed. */
	flush: boolean
	umask: number
	/** Not 0 when it is to be stopped in the middle. */
	stopped: Int32Array
}

/** Brings one file, or a piece of one, into the gathering folder. Errors say which side failed. */
export function* transferPiece(order: TransferOrder): Io<PieceResult> {
	const { how } = order.transfer
	if (how === 'reused' && (yield* reuse(order))) return yield* reused(order)
	if (how === 'hardlinked' && (yield* linkSource(order))) return yield* readOnce(order)
	if (how === 'reflinked') {
		const result = yield* shareBlocks(order)
		if (result) return result
	}
	return yield* copy(order)
}

/** Links what the haven has already; not where it is no longer there as the receipt says. */
function* reuse({ has, to, transfer }: TransferOrder): Io<boolean> {
	if (has === undefined) return false
	const found = yield* lstatIfThere(pathOf(has))
	if (!found?.isFile() || Number(found.size) !== transfer.file.size) return false
	try {
		return yield* tryToLink(pathOf(has), to)
	} catch (error) {
		// The copy that it would be shared with may be removed at any time.
		if (hasCode(error, 'ENOENT') && !(yield* lstatIfThere(pathOf(has)))) return false
		throw error
	}
}

function* reused(order: TransferOrder): Io<PieceResult> {
	const known = order.transfer.from?.known
	const text = isProof(order.transfer.file.path) ? yield* textOf(order.to) : undefined
	return { crc: Number.parseInt(known?.crc32 ?? '0', 16), how: 'reused', text }
}

function* linkSource({ from, to, transfer }: TransferOrder): Io<boolean> {
	const found = yield* lstatIfThere(from)
	if (found?.ino !== transfer.file.ino) throw new SourceChanged(`${transfer.file.path} is gone or another`)
	try {
		return yield* tryToLink(from, to)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) throw new SourceChanged(`${transfer.file.path} is gone`)
		throw error
	}
}

/** False where a link can't be had, and a copy can: another file system, too many links, not permitted. */
function* tryToLink(from: PathLike, to: PathLike): Io<boolean> {
	try {
		yield* link(from, to)
		return true
	} catch (error) {
		if (hasCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES')) return false
		throw error
	}
}

const CHUNK_BYTES = 256 * 1024
const freeChunks: Buffer[] = []

function* withChunk<T>(work: (chunk: Buffer) => Io<T>): Io<T> {
	const chunk = freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
	try {
		return yield* work(chunk)
	} finally {
		freeChunks.push(chunk)
	}
}

/** A hard-linked file is read once for its CRC, and its attributes are never set: they are the node's own. */
function* readOnce({ transfer, to, flush, stopped }: TransferOrder): Io<PieceResult> {
	return yield* withOpen(to, READ, function* (fd) {
		const result = yield* checksum(fd, transfer.file, stopped)
		if (flush) yield* fsync(fd)
		return { ...result, how: 'hardlinked' as const }
	})
}

function* shareBlocks({ transfer, from, to, flush, umask, stopped }: TransferOrder): Io<PieceResult | undefined> {
	const source = yield* openSource(from, transfer.file.path)
	try {
		yield* reflink(itself(source), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
	} catch (error) {
		if (!hasCode(error, 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOTTY', 'ENOSYS')) throw error
		if (yield* lstatIfThere(to)) yield* unlink(to)
		return undefined
	} finally {
		yield* close(source)
	}
	return yield* withOpen(to, READ, function* (fd) {
		const result = yield* checksum(fd, transfer.file, stopped)
		yield* dress(fd, transfer, umask)
		if (flush) yield* fsync(fd)
		return { ...result, how: 'reflinked' as const }
	})
}

/** Copies a whole file, or a piece into its place in one that other pieces fill too. */
function* copy(order: TransferOrder): Io<PieceResult> {
	const { file } = order.transfer
	const source = yield* openSource(order.from, file.path)
	try {
		const { whole } = order.piece
		const flags = whole ? CREATE : constants.O_WRONLY | constants.O_CREAT
		const mode = whole ? file.mode : file.mode | 0o200
		return yield* withOpen(order.to, flags, (target) => fill(order, source, target), mode)
	} finally {
		yield* close(source)
	}
}

// No generator made anew for each file, here and in what it calls: V8 learns nothing about one that runs once.
function* fill(order: TransferOrder, source: number, target: number): Io<PieceResult> {
	const { transfer, piece, flush, umask, stopped } = order
	const { crc, text } = yield* withChunk((chunk) =>
		pump({ source, target, chunk, piece, file: transfer.file, stopped }),
	)
	if (piece.whole) yield* dress(target, transfer, umask)
	if (flush) yield* fsync(target)
	return { crc, how: 'copied', text }
}

interface Pump {
	source: number
	target: number
	chunk: Buffer
	piece: Piece
	file: SnapshotFile
	stopped: Int32Array
}

/** What was read: its CRC-32, and the text where it is a proof. */
interface Sum {
	crc: number
	text: string | undefined
}

/** Reads one byte more than expected at the end of a file, so that one that grew shows. */
function* pump({ source, target, chunk, piece, file: { path, size }, stopped }: Pump): Io<Sum> {
	const { offset, length, whole } = piece
	const isLast = offset + length === size
	const expected = isLast ? length + 1 : length
	let done = 0
	let crc = 0
	let text = isProof(path) ? '' : undefined
	while (done < expected) {
		goOnUnless(stopped)
		const got = yield* readSource(
			source,
			chunk,
			Math.min(chunk.length, expected - done),
			whole ? null : offset + done,
			path,
		)
		if (got === 0) break
		const bytes = chunk.subarray(0, got)
		crc = crc32(bytes, crc)
		yield* writeFully(target, chunk, got, whole ? null : offset + done)
		done += got
		if (text === '') text = bytes.toString('latin1')
		// The end of a file that is as long as it was: no call is needed to see that nothing follows a short read.
		if (isLast && done === length && got < chunk.length) break
	}
	if (done !== length) throw sizeChanged(path, length, done)
	return { crc, text }
}

/** Waiting for the end of a file could take longer than a stop may. */
function goOnUnless(stopped: Int32Array): void {
	if (Atomics.load(stopped, 0) !== 0) throw new Error('it was stopped in the middle of a file')
}

function* readSource(fd: number, chunk: Buffer, length: number, position: number | null, path: string): Io<number> {
	try {
		return yield* read(fd, chunk, 0, length, position)
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

/** What is gone or has become a link is looked at again; what can't be read is told. */
function* openSource(from: PathLike, path: string): Io<number> {
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
			return chunk.toString('latin1', 0, yield* readSource(source, chunk, chunk.length, null, path))
		})
	} finally {
		yield* close(source)
	}
}

function sizeChanged(path: string, expected: number, found: number): SourceChanged {
	return new SourceChanged(`${path} had ${expected} bytes and then ${found > expected ? 'more' : found}`)
}

/** `dress`: a file's mode may be any. */
export const ALL_BITS = 0o7777

/** Owner, exact mode and times of the node's file; `missing` are the bits that it may lack since it was made: the umask. */
export function* dress(fd: number, { file }: Transfer, missing: number): Io<void> {
	yield* ownAs(fd, file)
	if ((file.mode & (missing | 0o7000)) !== 0 || missing === ALL_BITS) yield* fchmod(fd, file.mode)
	const seconds = Number(file.mtimeNs) / 1e9
	yield* futimes(fd, seconds, seconds)
}

function* checksum(fd: number, { size, path }: SnapshotFile, stopped: Int32Array): Io<Sum> {
	return yield* withChunk(function* (chunk) {
		let crc = 0
		let done = 0
		let text = isProof(path) ? '' : undefined
		for (;;) {
			goOnUnless(stopped)
			const got = yield* readSource(fd, chunk, chunk.length, null, path)
			if (got === 0) break
			crc = crc32(chunk.subarray(0, got), crc)
			done += got
			if (text === '') text = chunk.toString('latin1', 0, got)
		}
		if (done !== size) throw sizeChanged(path, size, done)
		return { crc, text }
	})
}

function textOf(path: PathLike): Io<string> {
	return withOpen(path, READ, function* (fd) {
		const { size } = yield* stat(fd)
		const buffer = Buffer.allocUnsafe(Math.min(Number(size), CHUNK_BYTES))
		return buffer.toString('latin1', 0, yield* read(fd, buffer, 0, buffer.length, null))
	})
}
