import { MANIFEST, SCHEMA } from '../cassandra/snapshot.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { combineCrc32 } from '../files/crc32-combine.ts'
import type { SharedCopy } from '../haven/copies.ts'
import type { PieceRead, PieceToRead } from '../haven/read-pieces.ts'
import { inSlices, SLICE_BYTES_MAX, SLICE_FILES_MAX } from './slices.ts'

/** A piece of one of the copies. */
interface CopyPiece extends PieceToRead {
	/** Which of the copies. */
	copy: number
}

/** Divides what is to be read into slices for the queue, a large file into pieces that go side by side. */
export function slicesToRead(copies: readonly SharedCopy[]): CopyPiece[][] {
	return inSlices(copies.flatMap(piecesOf), SLICE_FILES_MAX)
}

function piecesOf({ path, size }: SharedCopy, copy: number): CopyPiece[] {
	const text = isTextNeeded(path)
	if (size <= SLICE_BYTES_MAX) return [{ copy, path, offset: 0, length: size, isLast: true, text }]
	const pieces: CopyPiece[] = []
	for (let offset = 0; offset < size; offset += SLICE_BYTES_MAX) {
		const length = Math.min(SLICE_BYTES_MAX, size - offset)
		pieces.push({ copy, path, offset, length, isLast: offset + length === size, text: false })
	}
	return pieces
}

/** What the proofs read. */
function isTextNeeded(path: string): boolean {
	const name = path.slice(path.lastIndexOf('/') + 1)
	return name === MANIFEST || name === SCHEMA || parseComponent(name)?.component === 'Digest.crc32'
}

/** What reading a whole copy came to. */
export type CopyRead = { crc: number; length: number; text?: string } | { code: string }

/** Puts the pieces of each copy together again; undefined for a copy that was not read. */
export function joinPieces(pieces: readonly CopyPiece[], reads: readonly PieceRead[]): Map<number, CopyRead> {
	const joined = new Map<number, CopyRead>()
	const inOrder = pieces.map((piece, index) => ({ piece, read: reads[index] as PieceRead }))
	for (const { piece, read } of inOrder.sort(
		(a, b) => a.piece.copy - b.piece.copy || a.piece.offset - b.piece.offset,
	)) {
		const before = joined.get(piece.copy)
		if (before === undefined || 'code' in read) joined.set(piece.copy, read)
		else if (!('code' in before)) {
			const crc = combineCrc32(before.crc, read.crc, read.length)
			joined.set(piece.copy, { crc, length: before.length + read.length })
		}
	}
	return joined
}
