import { failure } from '../errors.ts'
import { crc32 } from '../files/builtins.ts'
import { CREATE, ownAs, READ, writeFully } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import { close, fchmod, fsync, futimes, link, lstatIfThere, open, read, stat, unlink } from '../files/operations.ts'
import type { ReceiptFile } from '../haven/receipt.ts'
import { hex } from '../haven/sealed-text.ts'

/** One file to be brought out of the haven. */
export interface FileOrder {
	file: ReceiptFile
	/** Where the haven has it. */
	from: PathLike
	/** Where it goes; what an earlier run left there is kept if its bytes are right. */
	to: PathLike
	/** Share the haven's file, whose attributes are then left as they are. */
	link: boolean
	/** Stops it in the middle, with an AbortError. */
	signal: AbortSignal
	/** So many bytes have been read more. */
	onBytes: (bytes: number) => void
}

/**
 * Brings a file out of the haven, durably, with the node's mode, times and (as root) owner, and holds every byte of it
 * against the receipt. Gives what is wrong with the haven's file, in which case nothing is left of it; throws where this
 * user may not read it, or the target can't be written.
 */
export function* copyFile(order: FileOrder): Io<string | undefined> {
	const { to } = order
	if (yield* lstatIfThere(to)) {
		if (!order.link && (yield* keep(order))) return undefined
		yield* unlink(to)
	}
	let source: number
	try {
		source = yield* open(order.from, READ)
	} catch (error) {
		return damageOf(error, order.file.path)
	}
	try {
		const found = yield* stat(source)
		if (!found.isFile()) return 'it is no file'
		if (Number(found.size) !== order.file.size) return sizeDamage(order.file, Number(found.size))
		return yield* order.link ? linkFrom(order, source) : copyFrom(order, source)
	} finally {
		yield* close(source)
	}
}

/** What an earlier, interrupted run brought. What has another name elsewhere is somebody's, and not to be given away. */
function* keep(order: FileOrder): Io<boolean> {
	const fd = yield* open(order.to, READ)
	try {
		const found = yield* stat(fd)
		if (!found.isFile() || found.nlink !== 1n || Number(found.size) !== order.file.size) return false
		const { crc, done } = yield* pump(order, fd, undefined)
		if (done !== order.file.size || hex(crc) !== order.file.crc32) return false
		yield* dress(fd, order.file)
		yield* fsync(fd)
		return true
	} finally {
		yield* close(fd)
	}
}

function* linkFrom(order: FileOrder, source: number): Io<string | undefined> {
	const damage = yield* check(order, source, undefined)
	if (damage !== undefined) return damage
	try {
		yield* link(order.from, order.to)
		return undefined
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(
			`the haven’s files can’t be linked there (${error.code})`,
			'--link needs a folder on the haven’s own file system. Leave --link out for a copy.',
			error,
		)
	}
}

function* copyFrom(order: FileOrder, source: number): Io<string | undefined> {
	let isGood = false
	const target = yield* onTarget(order, open(order.to, CREATE, 0o600))
	try {
		const damage = yield* check(order, source, target)
		if (damage !== undefined) return damage
		yield* onTarget(order, dress(target, order.file))
		yield* onTarget(order, fsync(target))
		isGood = true
		return undefined
	} finally {
		yield* close(target)
		if (!isGood) yield* unlink(order.to)
	}
}

function* check(order: FileOrder, source: number, target: number | undefined): Io<string | undefined> {
	const { file } = order
	let sum: { crc: number; done: number }
	try {
		sum = yield* pump(order, source, target)
	} catch (error) {
		return damageOf(error, file.path)
	}
	if (sum.done !== file.size) return sizeDamage(file, sum.done)
	if (hex(sum.crc) === file.crc32) return undefined
	return `its CRC-32 is ${hex(sum.crc)}, and its receipt says ${file.crc32}`
}

const CHUNK_BYTES = 512 * 1024
const freeChunks: Buffer[] = []

/** Reads all of it, and writes it where there is a target: the CRC-32 and how many bytes there were. */
function* pump(order: FileOrder, source: number, target: number | undefined): Io<{ crc: number; done: number }> {
	const chunk = freeChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
	try {
		let [crc, done] = [0, 0]
		for (;;) {
			order.signal.throwIfAborted()
			const got = yield* read(source, chunk, 0, chunk.length, null)
			if (got === 0) return { crc, done }
			crc = crc32(chunk.subarray(0, got), crc)
			if (target !== undefined) yield* onTarget(order, writeFully(target, chunk, got, null))
			done += got
			order.onBytes(got)
			// Most files are small: a read more, to see that they end there, would be a call in ten.
			if (done === order.file.size && got < chunk.length) return { crc, done }
		}
	} finally {
		freeChunks.push(chunk)
	}
}

function* dress(fd: number, file: ReceiptFile): Io<void> {
	yield* ownAs(fd, file)
	yield* fchmod(fd, file.mode)
	const seconds = Number(file.mtimeNs) / 1e9
	yield* futimes(fd, seconds, seconds)
}

function sizeDamage({ size }: ReceiptFile, found: number): string {
	return `it has ${found} bytes, and its receipt says ${size}`
}

/** What a call on the haven's file that failed says of that file; thrown on where it says nothing of its bytes. */
function damageOf(error: unknown, path: string): string {
	if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'it is not there'
	if (hasCode(error, 'ELOOP')) return 'it is a symbolic link'
	if (hasCode(error, 'EIO', 'EBADMSG', 'EUCLEAN')) return `it can’t be read (${error.code})`
	if (!hasCode(error)) throw error
	throw failure(
		`can’t read ${path} in the haven (${error.code})`,
		'Run as a user who may read the haven; see that it is mounted and answers.',
		error,
	)
}

function* onTarget<T>({ file: { path } }: FileOrder, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (!hasCode(error)) throw error
		const hint = hasCode(error, 'ENOSPC', 'EDQUOT') ? 'Free some space there.' : 'See that this user may write there.'
		throw failure(`can’t write ${path}, which is restored (${error.code})`, `${hint} Run it again to go on.`, error)
	}
}
