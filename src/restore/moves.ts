import { failure } from '../errors.ts'
import { createFile, readWhole } from '../files/contents.ts'
import { below, flushOpened, removeBelow } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { close, lstat, lstatIfThere, rename } from '../files/operations.ts'
import { checkedRecord, withChecksum } from '../haven/sealed-text.ts'
import { fields, list, text } from '../haven/shapes.ts'
import { openWithin, withDataFolder } from './data-folders.ts'
import { STAGE } from './stage.ts'

/** A file or folder that gets another name, on one file system. */
export interface Move {
	from: string
	to: string
}

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
 * Makes all moves, in order, or leaves durable notes, each alike, by any of which `finishMoves` makes the rest: what is
 * half moved into a table's folder would be half an SSTable. Nothing is replaced, and nothing outside of the data
 * directories is touched.
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
	yield* make(noted)
	for (const note of notes) yield* removeNote(note)
}

function removeNote({ directory, name }: MovesNote): Io<void> {
	return withDataFolder(directory, STAGE, (stage) => removeBelow(stage, name))
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
	yield* make(noted)
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

/** One that was made already is passed over: its place is taken, or it is gone from where it was. */
function* make({ dataDirectories, moves }: Noted): Io<void> {
	const opened = new Map<string, number | undefined>()
	function* folderOf(path: string): Io<number | undefined> {
		const folder = path.slice(0, path.lastIndexOf('/'))
		if (!opened.has(folder)) opened.set(folder, yield* openIfThere(dataDirectories, folder))
		return opened.get(folder)
	}
	try {
		for (const { from, to } of moves) {
			const [source, target] = [yield* folderOf(from), yield* folderOf(to)]
			if (target !== undefined && (yield* lstatIfThere(below(target, nameOf(to))))) continue
			if (source === undefined || !(yield* lstatIfThere(below(source, nameOf(from))))) continue
			if (target === undefined) throw failure(`the folder of ${to} is gone`, 'Make it again, and run it again.')
			yield* rename(below(source, nameOf(from)), below(target, nameOf(to)))
		}
		for (const folder of opened.values()) if (folder !== undefined) yield* flushOpened(folder)
	} finally {
		for (const folder of opened.values()) if (folder !== undefined) yield* close(folder)
	}
}

/** Undefined where it is gone: the stage of a run that finished the moves by another note. */
function* openIfThere(dataDirectories: string[], folder: string): Io<number | undefined> {
	const directory = dataDirectories.find((one) => folder.startsWith(`${one}/`))
	if (directory === undefined || folder.split('/').includes('..')) throw failure(`${folder} is in no data directory`)
	try {
		return yield* openWithin(directory, folder.slice(directory.length + 1))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
}

function nameOf(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1)
}
