import type { Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, rename } from '../files/operations.ts'
import { gathering } from '../haven/layout.ts'
import { appendProgress, type DonePiece, type Inherited } from '../haven/progress.ts'
import { type GatherOrder, keyOf } from './gather-order.ts'
import type { Transfer } from './plan.ts'
import { type Piece, slicesOf } from './slices.ts'
import type { PieceResult } from './transfer-file.ts'

/** A piece that is in the haven, and what it was. */
export interface ResumedPiece {
	piece: Piece
	result: PieceResult
}

/** Of what an earlier run had gathered, the pieces that are this plan's too: of the very files, and still there. */
export function* resumablePieces(base: string, transfers: Transfer[], inherited: Inherited): Io<ResumedPiece[]> {
	const noted = new Map(inherited.pieces.map((piece) => [`${piece.path} ${piece.offset} ${piece.length}`, piece]))
	const resumed: ResumedPiece[] = []
	for (const piece of slicesOf(transfers, Number.POSITIVE_INFINITY).flat()) {
		const transfer = transfers[piece.index] as Transfer
		const done = noted.get(`${transfer.file.path} ${piece.offset} ${piece.length}`)
		if (transfer.how !== 'copied' || !done || !isOf(transfer, done)) continue
		const found = yield* lstatIfThere(pathOf(`${base}/${inherited.folder}/${done.path}`))
		if (!found?.isFile() || Number(found.size) < done.offset + done.length) continue
		const text = done.text === undefined ? {} : { text: done.text }
		resumed.push({ piece, result: { crc: done.crc, how: 'copied', ...text } })
	}
	return resumed
}

function isOf({ file }: Transfer, { size, mtimeNs, ino }: DonePiece): boolean {
	return file.size === size && String(file.mtimeNs) === mtimeNs && String(file.ino) === ino
}

/** Takes these pieces' files over into the new gathering folder, and notes them down there. */
export function* resumeGathering(
	order: GatherOrder,
	transfers: Transfer[],
	inherited: Inherited,
	resumed: ResumedPiece[],
): Io<void> {
	const to = gathering.folder(order.partial, order.number)
	for (const index of new Set(resumed.map(({ piece }) => piece.index))) {
		const path = (transfers[index] as Transfer).file.path
		yield* rename(pathOf(`${order.base}/${inherited.folder}/${path}`), pathOf(`${order.base}/${to}/${path}`))
	}
	yield* appendProgress(order.base ?? '', { ...order, key: keyOf(order) }, donePiecesOf(transfers, resumed))
}

/** The pieces as they are noted down: only copies, since what is linked costs nothing to link again. */
export function donePiecesOf(transfers: Transfer[], done: ResumedPiece[]): DonePiece[] {
	return done
		.filter(({ result }) => result.how === 'copied')
		.map(({ piece, result }) => {
			const { path, size, mtimeNs, ino } = (transfers[piece.index] as Transfer).file
			const { offset, length } = piece
			const text = result.text === undefined ? {} : { text: result.text }
			return { path, size, mtimeNs: String(mtimeNs), ino: String(ino), offset, length, crc: result.crc, ...text }
		})
}
