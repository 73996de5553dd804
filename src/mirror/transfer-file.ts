import { constants } from '../files/builtins.ts'
import { CREATE, isToOwn, ownAs, READ } from '../files/contents.ts'
import { itself } from '../files/folders.ts'
import { atOnce, hasCode, type Io } from '../files/io.ts'
import { type PathLike, pathOf } from '../files/names.ts'
import {
	close,
	fchmod,
	fsync,
	futimes,
	link,
	lstatIfThere,
	open,
	reflink,
	unlink,
	withOpen,
} from '../files/operations.ts'
import { LIVE } from '../haven/layout.ts'
import type { Origin } from '../haven/receipt.ts'
import type { Transfer } from './plan.ts'
import { checksum, openSource, pump, textOf } from './read-source.ts'
import type { Piece } from './slices.ts'
import { SourceChanged } from './source-changed.ts'

/** What a piece that came over was. */
export interface PieceResult {
	/** CRC-32 of the piece's bytes. */
	crc: number
	/** How it came in the end: what could not be linked was copied. */
	how: Origin
	/** The contents of a Digest.crc32 or TOC.txt that was read, its beginning where it is long. */
	text?: string | undefined
}

interface TransferOrder {
	transfer: Transfer
	piece: Piece
	/** Finds where it is on the node: what the haven has need not be opened there. */
	from: () => Io<PathLike>
	/** Where it goes, in the gathering folder. */
	to: PathLike
	/** `reused`: where the haven has it. */
	has: string | undefined
	/** Force it to stable storage before it is closed. */
	flush: boolean
	umask: number
	/** Not 0 when it is to be stopped in the middle. */
	stopped: Int32Array
	/** Called before what was to be reused is copied; may throw. */
	onUnshared?: (() => void) | undefined
}

/** Brings one file, or a piece of one, into the gathering folder. Errors say which side failed. */
export function* transferPiece(order: TransferOrder): Io<PieceResult> {
	const { how } = order.transfer
	if (how === 'reused') {
		if (yield* reuse(order)) return yield* reused(order)
		order.onUnshared?.()
	}
	if (order.transfer.shared || (yield* shareBlocks(order))) return yield* readShared(order)
	return yield* copy(order)
}

/** Makes a file of the haven share its blocks with the node's, where that is how it is to come. False where it can't, or is not to. */
export function* shareBlocks(order: Pick<TransferOrder, 'transfer' | 'from' | 'to'>): Io<boolean> {
	const { how } = order.transfer
	if (how === 'hardlinked') return yield* linkSource(order)
	return how === 'reflinked' && (yield* cloneSource(order))
}

/** Links what the haven has already; not where it is no longer there as the receipt says. */
function* reuse({ has, to, transfer }: TransferOrder): Io<boolean> {
	if (has === undefined) return false
	const found = yield* lstatIfThere(pathOf(has))
	if (!found?.isFile() || Number(found.size) !== transfer.file.size) return false
	// A live set may get another SSTable of that name at any time.
	if (transfer.from?.tag === LIVE && !isNear(found.mtimeNs, transfer.file.mtimeNs)) return false
	try {
		return yield* tryToLink(pathOf(has), to)
	} catch (error) {
		// The copy that it would be shared with may be removed at any time.
		if (hasCode(error, 'ENOENT') && !(yield* lstatIfThere(pathOf(has)))) return false
		throw error
	}
}

/** As near as file systems keep times, FAT's two seconds. */
function isNear(one: bigint, other: bigint): boolean {
	const distance = one - other
	return (distance < 0n ? -distance : distance) <= 2_000_000_000n
}

function* reused({ transfer, to }: TransferOrder): Io<PieceResult> {
	const crc = Number.parseInt(transfer.from?.known.crc32 ?? '0', 16)
	return { crc, how: 'reused', ...(transfer.read ? { text: yield* textOf(to) } : {}) }
}

function* linkSource(order: Pick<TransferOrder, 'transfer' | 'from' | 'to'>): Io<boolean> {
	const { to, transfer } = order
	const from = yield* order.from()
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

function* cloneSource({ transfer, from, to }: Pick<TransferOrder, 'transfer' | 'from' | 'to'>): Io<boolean> {
	const source = yield* atOnce(openSource(yield* from(), transfer.file.path))
	try {
		yield* reflink(itself(source), to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
		return true
	} catch (error) {
		if (!hasCode(error, 'EXDEV', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOTTY', 'ENOSYS')) throw error
		if (yield* lstatIfThere(to)) yield* unlink(to)
		return false
	} finally {
		yield* atOnce(close(source))
	}
}

/** What shares its blocks is read once for its CRC. A hard-linked file's attributes are never set: they are the node's own. */
function* readShared({ transfer, piece, to, flush, umask, stopped }: TransferOrder): Io<PieceResult> {
	const { how } = transfer
	return yield* withOpen(to, READ, function* (fd) {
		const result = yield* checksum({ fd, piece, file: transfer.file, stopped })
		if (how === 'reflinked' && piece.whole) yield* dress(fd, transfer, umask)
		if (flush) yield* fsync(fd)
		return { ...result, how }
	})
}

/** What its owner may do to a file that comes in pieces, as long as they come: its mode may allow neither. */
export const PIECED_BITS = 0o600

/** Copies a whole file, or a piece into its place in one that other pieces fill too. */
function* copy(order: TransferOrder): Io<PieceResult> {
	const { file } = order.transfer
	const source = yield* atOnce(openSource(yield* order.from(), file.path))
	try {
		const { whole } = order.piece
		const flags = whole ? CREATE : constants.O_WRONLY | constants.O_CREAT
		const mode = whole ? file.mode : file.mode | PIECED_BITS
		const target = yield* open(order.to, flags, mode)
		try {
			return yield* fill(order, source, target)
		} finally {
			yield* close(target)
		}
	} finally {
		yield* atOnce(close(source))
	}
}

// Few generators, and none made anew for each file, here and in what it calls: a small file's are a fifth of its time.
function* fill(order: TransferOrder, source: number, target: number): Io<PieceResult> {
	const { transfer, piece, flush, umask, stopped } = order
	const { crc, text } = yield* pump({ source, target, piece, file: transfer.file, stopped })
	if (piece.whole) yield* dress(target, transfer, umask)
	if (flush) yield* fsync(target)
	return { crc, how: 'copied', text }
}

/** `dress`: a file's mode may be any. */
export const ALL_BITS = 0o7777

/** Owner, exact mode and times of the node's file; `missing` are the bits that it may lack since it was made: the umask. */
export function* dress(fd: number, { file }: Transfer, missing: number): Io<void> {
	if (isToOwn(file)) yield* ownAs(fd, file)
	if ((file.mode & (missing | 0o7000)) !== 0 || missing === ALL_BITS) yield* fchmod(fd, file.mode)
	const seconds = Number(file.mtimeNs) / 1e9
	yield* futimes(fd, seconds, seconds)
}
