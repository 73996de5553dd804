import { failure } from '../errors.ts'
import { createFile, readWhole } from '../files/contents.ts'
import { flushFolder, removeTree } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, rename } from '../files/operations.ts'
import { checkedText, withChecksum } from '../haven/sealed-text.ts'

/** A file or folder that gets another name, on one file system. */
export interface Move {
	from: string
	to: string
}

const BYTES_MAX = 1024 * 1024 * 1024

/**
 * Makes all moves, in order, or leaves durable notes, each alike, by any of which `finishMoves` makes the rest: what is
 * half moved into a table's folder would be half an SSTable. Nothing is replaced.
 */
export function* moveAll(notes: string[], moves: Move[]): Io<void> {
	const text = withChecksum(JSON.stringify({ format: 1, moves }))
	for (const note of notes) {
		yield* removeTree(`${note}.draft`)
		yield* createFile(`${note}.draft`, text, { mode: 0o600, flush: true })
		yield* rename(`${note}.draft`, note)
		yield* flushFolder(folderOf(note))
	}
	yield* make(moves)
	for (const note of notes) yield* removeTree(note)
}

/** Makes the moves that a run which was killed has left. True where there were any. */
export function* finishMoves(note: string): Io<boolean> {
	let bytes: Buffer
	try {
		bytes = yield* readWhole(note, BYTES_MAX)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return false
		throw error
	}
	const text = checkedText(bytes)
	if (text === undefined) {
		throw failure(`${note} is damaged: which files were being moved can’t be told`, 'Look at it, and move it away.')
	}
	yield* make((JSON.parse(text) as { moves: Move[] }).moves)
	yield* removeTree(note)
	return true
}

/** One that was made already is passed over: its place is taken, or it is gone from where it was. */
function* make(moves: Move[]): Io<void> {
	for (const { from, to } of moves) {
		if (yield* lstatIfThere(pathOf(to))) continue
		if (yield* lstatIfThere(pathOf(from))) yield* rename(pathOf(from), pathOf(to))
	}
	for (const folder of new Set(moves.flatMap(({ from, to }) => [folderOf(to), folderOf(from)]))) {
		// The stage of a run that finished them by another note is gone.
		if (yield* lstatIfThere(pathOf(folder))) yield* flushFolder(folder)
	}
}

function folderOf(path: string): string {
	return path.slice(0, path.lastIndexOf('/'))
}
