import { parseComponent } from '../cassandra/sstable.ts'
import { failure } from '../errors.ts'
import { below, flushOpened } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import { close, link, lstatIfThere, type Stat, unlink } from '../files/operations.ts'
import { openWithin } from './data-folders.ts'
import { STAGE } from './stage.ts'

/** A file that gets another name, on one file system. */
export interface Move {
	from: string
	to: string
}

/**
 * Makes moves so that, whatever of them a power cut undoes or a node that starts in between sees, an SSTable is whole in
 * one of its two places, and in a live folder whole wherever its Data.db is: a node that starts removes what has none.
 * What goes aside is all there before any of it leaves its place, Data.db first; what is put in place has its Data.db
 * last, and leaves the stage when all is there.
 *
 * May be called again after any stop, since each name is taken away only where its file has the other one: whatever has
 * come under one of the names meanwhile stays, and of a staged SSTable whose name is taken so nothing is put. Gives the
 * moves of those.
 */
export function* makeMoves(dataDirectories: string[], moves: Move[]): Io<Move[]> {
	const { staged = [], aside = [] } = Object.groupBy(moves, ({ from }) =>
		isStaged(dataDirectories, from) ? 'staged' : 'aside',
	)
	const folders = openedWithin(dataDirectories)
	try {
		yield* setAside(folders, aside)
		const free = yield* stillFree(folders, staged)
		for (const move of free.filter(({ to }) => !isData(to))) yield* linkOne(folders, move)
		yield* folders.flush([...aside.map(({ from }) => from), ...free.map(({ to }) => to)])
		const data = free.filter(({ to }) => isData(to))
		for (const move of data) yield* linkOne(folders, move)
		yield* folders.flush(data.map(({ to }) => to))
		for (const move of free) yield* unlinkOne(folders, move)
		return staged.filter((move) => !free.includes(move))
	} finally {
		yield* folders.close()
	}
}

function* setAside(folders: Opened, moves: Move[]): Io<void> {
	for (const move of moves) yield* linkOne(folders, move)
	yield* folders.flush(moves.map(({ to }) => to))
	const data = moves.filter(({ from }) => isData(from))
	for (const move of data) yield* unlinkOne(folders, move)
	yield* folders.flush(data.map(({ from }) => from))
	for (const move of moves) yield* unlinkOne(folders, move)
}

/** Those of SSTables of whose names none has been taken by another file. */
function* stillFree(folders: Opened, moves: Move[]): Io<Move[]> {
	const taken = new Set<string | undefined>()
	for (const move of moves) {
		const [source, target] = yield* lookAt(folders, move)
		if (source && target && !isSame(source, target)) taken.add(sstableOf(move.to))
	}
	return moves.filter(({ to }) => !taken.has(sstableOf(to)))
}

function* linkOne(folders: Opened, move: Move): Io<void> {
	const [source, target] = yield* lookAt(folders, move)
	if (!source || target) return
	const [from, to] = [yield* folders.pathOf(move.from), yield* folders.pathOf(move.to)]
	if (to === undefined) throw failure(`the folder of ${move.to} is gone`, 'Make it again, and run it again.')
	if (from !== undefined) yield* link(from, to)
}

function* unlinkOne(folders: Opened, move: Move): Io<void> {
	const [source, target] = yield* lookAt(folders, move)
	const from = yield* folders.pathOf(move.from)
	if (from !== undefined && source && target && isSame(source, target)) yield* unlink(from)
}

/** What stands at both ends of a move. */
function* lookAt(folders: Opened, { from, to }: Move): Io<[Stat | undefined, Stat | undefined]> {
	const [source, target] = [yield* folders.pathOf(from), yield* folders.pathOf(to)]
	return [
		source === undefined ? undefined : yield* lstatIfThere(source),
		target === undefined ? undefined : yield* lstatIfThere(target),
	]
}

function isSame(one: Stat, other: Stat): boolean {
	return one.dev === other.dev && one.ino === other.ino
}

function isData(path: string): boolean {
	return parseComponent(path)?.component === 'Data.db'
}

function sstableOf(path: string): string | undefined {
	return parseComponent(path)?.prefix
}

function isStaged(dataDirectories: string[], path: string): boolean {
	return dataDirectories.some((directory) => path.startsWith(`${directory}/${STAGE}/`))
}

/** Folders in data directories, each opened once. */
interface Opened {
	/** The path to reach a file by; undefined where its folder is gone. */
	pathOf: (path: string) => Io<PathLike | undefined>
	/** Makes the names durable that files of these paths have. */
	flush: (paths: string[]) => Io<void>
	close: () => Io<void>
}

function openedWithin(dataDirectories: string[]): Opened {
	const opened = new Map<string, number | undefined>()
	function* folderOf(path: string): Io<number | undefined> {
		const folder = path.slice(0, path.lastIndexOf('/'))
		if (!opened.has(folder)) opened.set(folder, yield* openIfThere(dataDirectories, folder))
		return opened.get(folder)
	}
	return {
		*pathOf(path) {
			const folder = yield* folderOf(path)
			return folder === undefined ? undefined : below(folder, path.slice(path.lastIndexOf('/') + 1))
		},
		*flush(paths) {
			const folders = new Set<number | undefined>()
			for (const path of paths) folders.add(yield* folderOf(path))
			for (const folder of folders) if (folder !== undefined) yield* flushOpened(folder)
		},
		*close() {
			for (const folder of opened.values()) if (folder !== undefined) yield* close(folder)
		},
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
