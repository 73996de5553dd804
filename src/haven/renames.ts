import { failure } from '../errors.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, rename, type Stat } from '../files/operations.ts'

/** What a path within the haven leads to, undefined where there is nothing. Follows no link. */
export function there(base: string, path: string): Io<Stat | undefined> {
	return lstatIfThere(pathOf(`${base}/${path}`))
}

const FOLDERS_IN_FLIGHT = 16

/** Fails where a folder that a path within the haven lies in is a link: what is reached by one is not the haven's. */
export function* refuseLinks(base: string, ...paths: string[]): Io<void> {
	const folders = new Set(paths.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))))
	yield* each([...folders], FOLDERS_IN_FLIGHT, (folder) => thereUnlessLink(base, folder))
}

/** What a path within the haven leads to, undefined where there is nothing; fails where it is a link. */
export function* thereUnlessLink(base: string, path: string): Io<Stat | undefined> {
	const found = yield* there(base, path)
	if (!found?.isSymbolicLink()) return found
	throw failure(
		`${path} in the haven is a symbolic link, and what it leads to is not the haven’s`,
		'Put a folder in its place. A haven is on one file system; -s may name a link.',
	)
}

/** Renames within the haven. */
export function move(base: string, from: string, to: string): Io<void> {
	return rename(pathOf(`${base}/${from}`), pathOf(`${base}/${to}`))
}

/** Whether the rename was done. A folder in the way, or nothing to rename, is a no. */
export function* moveIfThere(base: string, from: string, to: string): Io<boolean> {
	try {
		yield* move(base, from, to)
		return true
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false
		// The reply may be lost where the deed was done: a look tells.
		if (hasCode(error, 'EIO', 'ETIMEDOUT') && !(yield* there(base, from)) && (yield* there(base, to))) return true
		throw error
	}
}
