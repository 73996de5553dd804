import { failure } from '../errors.ts'
import { createFile, readWhole } from '../files/contents.ts'
import { below, flushOpened, removeBelow } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { lstat, rename } from '../files/operations.ts'
import { checkedRecord, withChecksum } from '../haven/sealed-text.ts'
import { fields, list, text } from '../haven/shapes.ts'
import { withDataFolder } from './data-folders.ts'
import { type Move, makeMoves } from './make-moves.ts'
import { STAGE } from './stage.ts'

/** A note of moves: its name in the stage of that data directory. */
export interface MovesNote {
	directory: string
	name: string
}

interface Noted {
	format: 1
	/** In one of which each path is. */
	dataDirectories: string[]
	moves: Move[]
}

const isNoted = fields({ dataDirectories: list(text), moves: list(fields({ from: text, to: text })) })

const BYTES_MAX = 1024 * 1024 * 1024

/**
 * Makes all moves, or leaves durable notes, each alike, by any of which `finishMoves` makes the rest: what is half moved
 * into a table's folder would be half an SSTable. Nothing is replaced, and nothing outside of the data directories is
 * touched. Fails, when all else is done, where names that were free have been taken meanwhile.
 */
export function* moveAll(notes: MovesNote[], dataDirectories: string[], moves: Move[]): Io<void> {
	const noted: Noted = { format: 1, dataDirectories, moves }
	const record = withChecksum(JSON.stringify(noted))
	for (const { directory, name } of notes) {
		yield* withDataFolder(directory, STAGE, function* (stage) {
			const draft = `${name}.draft`
			yield* removeBelow(stage, draft)
			yield* createFile(below(stage, draft), record, { mode: 0o600, flush: true })
			yield* rename(below(stage, draft), below(stage, name))
			yield* flushOpened(stage)
		})
	}
	const [taken] = yield* makeMoves(noted.dataDirectories, noted.moves)
	for (const note of notes) yield* removeNote(note)
	if (taken !== undefined) throw failure(`${taken.to} has come meanwhile, so that not all was put`, 'Run it again.')
}

/** Durably: a note that comes back would have moves made that are nobody's wish any more. */
function removeNote({ directory, name }: MovesNote): Io<void> {
	return withDataFolder(directory, STAGE, function* (stage) {
		yield* removeBelow(stage, name)
		yield* flushOpened(stage)
	})
}

/** Makes the moves that a run which was killed has left. True where there were any. */
export function* finishMoves(note: MovesNote): Io<boolean> {
	const path = `${note.directory}/${STAGE}/${note.name}`
	let bytes: Buffer
	try {
		bytes = yield* withDataFolder(note.directory, STAGE, function* (stage) {
			const found = yield* lstat(below(stage, note.name), { bigint: true })
			if (!isOwn(found.uid)) throw foreign(path, found.uid)
			return yield* readWhole(below(stage, note.name), BYTES_MAX)
		})
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return false
		throw error
	}
	const noted = checkedRecord<Noted>(bytes, isNoted)
	if (noted === undefined) {
		throw failure(`${path} is damaged: which files were being moved can’t be told`, 'Look at it, and move it away.')
	}
	yield* makeMoves(noted.dataDirectories, noted.moves)
	yield* removeNote(note)
	return true
}

/** Who may write into the data directory may not tell root what to move. */
function isOwn(uid: bigint): boolean {
	return uid === 0n || uid === BigInt(process.geteuid?.() ?? 0)
}

function foreign(path: string, uid: bigint) {
	return failure(
		`${path} belongs to user ${uid}, who is neither root nor the user snaphaven runs as`,
		'If that user’s restore was interrupted, run it as that user again; else look at the file, and move it away.',
	)
}
