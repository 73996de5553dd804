import { below, makeFolder, namesIn, openFolder, removeBelow } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import { close, fchmod } from '../files/operations.ts'

/** The folders that a table is gathered in, each opened once, none through a link. */
export interface TargetFolders {
	/** The opened folder of a path within the table's, `''` its own. */
	folder: (path: string) => number
	/** The path to reach a file by. */
	pathOf: (path: string) => PathLike
	/** Removes a file. */
	remove: (path: string) => Io<void>
}

/**
 * Makes the folders to gather a table in, within an opened one, and works with them; they are closed whatever happens. Of
 * what an earlier run left there, only what is named stays.
 */
export function* withTargetFolders<T>(
	parent: number,
	name: string,
	named: { folders: readonly { path: string }[]; files: readonly { path: string }[] },
	work: (target: TargetFolders) => Io<T>,
): Io<T> {
	const opened = new Map<string, number>()
	const folder = (path: string) => {
		const fd = opened.get(path)
		if (fd === undefined) throw new Error(`${path} is in no folder of its receipt`)
		return fd
	}
	const split = (path: string): [number, string] => {
		const slash = path.lastIndexOf('/')
		return [folder(path.slice(0, Math.max(0, slash))), path.slice(slash + 1)]
	}
	const kept = new Set([...named.folders, ...named.files].map(({ path }) => path))
	const paths = foldersOf([...named.folders.map(({ path }) => `${path}/`), ...named.files.map(({ path }) => path)])
	for (const path of paths) kept.add(path)
	try {
		opened.set('', yield* prepare(parent, name, '', kept))
		for (const path of paths) opened.set(path, yield* prepare(...split(path), path, kept))
		return yield* work({
			folder,
			pathOf: (path) => below(...split(path)),
			remove: (path) => removeBelow(...split(path)),
		})
	} finally {
		for (const fd of opened.values()) yield* close(fd)
	}
}

/** All folders that paths lie in, outer ones first. */
function foldersOf(paths: string[]): string[] {
	const folders = paths.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)))
	return [...new Set(folders)].sort((one, other) => one.length - other.length)
}

/** Opens a folder, made where it is missing, with nothing in it that is not kept. */
function* prepare(parent: number, name: string, path: string, kept: ReadonlySet<string>): Io<number> {
	const isNew = yield* makeFolder(below(parent, name), 0o700)
	const folder = yield* openFolder(parent, name)
	try {
		yield* fchmod(folder, 0o700)
		for (const inner of isNew ? [] : yield* namesIn(folder)) {
			if (!kept.has(path === '' ? inner : `${path}/${inner}`)) yield* removeBelow(folder, inner)
		}
		return folder
	} catch (error) {
		yield* close(folder)
		throw error
	}
}
