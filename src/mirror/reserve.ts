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
	 * To be told of each slice that has come. With the first file that had to be copied though it was to be shared, sets
	 * space aside for the rest of those; throws where there is not enough.
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
		if (!space.isReserved()) throw noSpace(needed, space.free(), 'Nothing of it was begun.')
		await space.released()
	}
	const taken = [needed]
	let left = transfers.reduce((sum, one) => sum + (isToBeShared(one) ? one.file.size : 0), 0)
	let isRefused = false
	return {
		came: async (sent, slice, results) => {
			const shared = slice.map(({ index }) => isToBeShared(sent[index]))
			left -= slice.reduce((sum, { length }, at) => sum + (shared[at] ? length : 0), 0)
			if (isRefused || !results.some((result, at) => shared[at] && result?.how === 'copied')) return
			isRefused = true
			// Not waited for: who holds space and waits for more may wait for somebody who does the same.
			if (!(await space.reserve(left))) throw noSpace(left, space.free(), 'It can’t be linked there, and is not kept.')
			taken.push(left)
		},
		release: () => {
			for (const bytes of taken) space.release(bytes)
		},
	}
}

/** Whether it takes no space as it is planned, and it is not known yet whether it will come so. */
function isToBeShared(transfer: Transfer | undefined): boolean {
	return transfer !== undefined && transfer.how !== 'copied' && !transfer.shared
}

function noSpace(needed: number, free: number, whatBecame: string) {
	return failure(
		`${FULL}: it needs ${needed} bytes there, and ${free} are free: ${needed - free} are missing`,
		`${whatBecame} Free some space there, or give a larger place.`,
	)
}
