import { failure } from '../errors.ts'
import { FULL } from '../haven/trouble.ts'
import type { Writing } from './pass.ts'
import { spaceNeeded, type Transfer } from './plan.ts'
import type { ResumedPiece } from './resume.ts'
import type { Piece } from './slices.ts'
import type { PieceResult } from './transfer-file.ts'

/** Space in the haven that is set aside for what is gathered in slices. */
export interface Reservation {
	/**
	 * To be told of each slice that has come: what it took is no longer set aside. With the first file that could not share
	 * the node's blocks, as it was to, sets space aside for the rest of those; throws where there is not enough.
	 */
	came: (transfers: Transfer[], slice: Piece[], results: (PieceResult | undefined)[]) => Promise<void>
	release: () => void
}

/**
 * Sets aside what a plan needs beside what is there already, waiting for others to end where that may free it. Throws
 * where it can't be had.
 */
export async function reserveFor(
	{ space }: Pick<Writing, 'space'>,
	transfers: Transfer[],
	resumed: ResumedPiece[],
): Promise<Reservation> {
	const needed = spaceNeeded(transfers) - resumed.reduce((sum, { piece }) => sum + piece.length, 0)
	while (!(await space.reserve(needed))) {
		if (!space.isReserved()) throw noSpace(needed, space.free(), NOT_BEGUN)
		await space.released()
	}
	let held = needed
	const took = (bytes: number) => {
		const some = Math.min(bytes, held)
		held -= some
		space.written(some)
	}
	/** Bytes that are to share the node's blocks, and have not come yet. */
	let toShare = transfers.reduce((sum, one) => sum + (isToShare(one) ? one.file.size : 0), 0)
	let isRefused = false
	let isHeld = false
	return {
		came: async (sent, slice, results) => {
			let isRefusedNow = false
			let written = 0
			for (const [at, { index, length }] of slice.entries()) {
				const transfer = sent[index]
				const shares = isToShare(transfer)
				if (shares) toShare -= length
				if (results[at]?.how !== 'copied') continue
				if (shares && !isRefused) isRefusedNow = true
				// For what was to be reused nothing was set aside.
				if (transfer?.how === 'copied' || (shares && isHeld)) written += length
			}
			took(written)
			if (!isRefusedNow) return
			isRefused = true
			const more = toShare
			// Not waited for: who holds space and waits for more may wait for somebody who does the same.
			if (!(await space.reserve(more))) throw noSpace(more, space.free(), NOT_LINKED)
			held += more
			isHeld = true
			// What came while it was asked for.
			took(more - toShare)
		},
		release: () => space.release(held),
	}
}

/** Whether it takes no space as it is planned, since it is the node's own, and it is not known yet whether it will come so. */
function isToShare(transfer: Transfer | undefined): boolean {
	return (transfer?.how === 'hardlinked' || transfer?.how === 'reflinked') && !transfer.shared
}

const NOT_BEGUN = 'Nothing of it was begun. Free some space there, or give a larger place.'
const NOT_LINKED =
	'Not all of its files can share the node’s blocks, and what was copied is removed. Free some space there, or run as the owner of Cassandra’s files, with the haven on the very mount that they are on.'

function noSpace(needed: number, free: number, hint: string) {
	return failure(`${FULL}: it needs ${needed} bytes there, and ${free} are free: ${needed - free} are missing`, hint)
}
