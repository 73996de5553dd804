import type { Transfer } from './plan.ts'

/** A part of a transfer: the whole file, or a piece of a large one. */
export interface Piece {
	/** Which transfer of the plan. */
	index: number
	offset: number
	length: number
	/** The file goes over in one piece. */
	whole: boolean
}

/** What one task of the queue carries, at most. */
export const SLICE_FILES_MAX = 64
/** Tests give their own: what is cut into slices need not be large then. */
export const SLICE_BYTES_MAX = Number(process.env['SNAPHAVEN_TEST_SLICE_BYTES']) || 64 * 1024 * 1024

/** Files that one task gathers whole, at most, where each takes round trips or a flush: more come sooner side by side. */
export const WHOLE_FILES_MAX = 4 * SLICE_FILES_MAX

/**
 * Whether one task gathers a plan whole. What is divided crosses between threads four times, which takes longer than to
 * link its files, or to copy small ones; so only what takes long is. Its space has room for 13,000 files.
 */
export function isGatheredWhole(
	{ transfers, space }: { transfers: readonly Transfer[]; space: number },
	{ budget, width, flushEach }: { budget: number; width: number; flushEach: boolean },
): boolean {
	if (budget === 0 || space > Math.min(budget, SLICE_BYTES_MAX)) return false
	if ((width > 1 || flushEach) && transfers.length > WHOLE_FILES_MAX) return false
	return transfers.reduce((sum, { how, file }) => sum + (how === 'reused' ? 0 : file.size), 0) <= SLICE_BYTES_MAX
}

/** As how many slices a snapshot of so many files waits in the queue, though it may be gathered whole. */
export function slicesAbout(files: number): number {
	return files > WHOLE_FILES_MAX ? Math.ceil(files / SLICE_FILES_MAX) : 0
}

/** Divides a plan into slices for the queue, a large file that is to be read into pieces that can go side by side. */
export function slicesOf(transfers: readonly Transfer[], filesMax: number): Piece[][] {
	return inSlices(transfers.flatMap(piecesOf), filesMax)
}

/** Puts pieces together into slices, in their order: none has more than so many, or more bytes than a slice may have. */
export function inSlices<P extends { length: number }>(pieces: readonly P[], filesMax: number): P[][] {
	const slices: P[][] = []
	let slice: P[] = []
	let bytes = 0
	for (const piece of pieces) {
		if (slice.length > 0 && (slice.length >= filesMax || bytes + piece.length > SLICE_BYTES_MAX)) {
			slices.push(slice)
			slice = []
			bytes = 0
		}
		slice.push(piece)
		bytes += piece.length
	}
	return slice.length > 0 ? [...slices, slice] : slices
}

function piecesOf({ file, how, shared }: Transfer, index: number): Piece[] {
	if ((how !== 'copied' && !shared) || file.size <= SLICE_BYTES_MAX)
		return [{ index, offset: 0, length: file.size, whole: true }]
	const pieces: Piece[] = []
	for (let offset = 0; offset < file.size; offset += SLICE_BYTES_MAX) {
		pieces.push({ index, offset, length: Math.min(SLICE_BYTES_MAX, file.size - offset), whole: false })
	}
	return pieces
}
