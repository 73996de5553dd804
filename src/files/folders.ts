import { constants, fs } from './builtins.ts'
import { each, hasCode, type Io } from './io.ts'
import { decodeName, encodeName, type Name, type PathLike, pathOf } from './names.ts'
import {
	close,
	fsync,
	lstatIfThere,
	mkdir,
	open,
	readdir,
	readdirBytes,
	rmdir,
	unlink,
	withOpen,
} from './operations.ts'

/** Flags that open a folder and never follow a link at its end. */
export const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

// Not /proc/self/fd, which is a link more to follow for each call.
const DESCRIPTORS = `/proc/${process.pid}/fd/`

/** A path below an opened folder, which stays that folder whatever its own path may lead to later (openat's meaning). */
export function below(folder: number, path: Name): PathLike {
	return pathOf(`${DESCRIPTORS}${folder}/${path}`)
}

/** The path of an opened folder itself. */
export function itself(folder: number): string {
	return `${DESCRIPTORS}${folder}`
}

/** The mount that an opened folder lies on (proc(5), fdinfo); the device would not tell a bind mount. */
export function mountOf(folder: number): string | undefined {
	return /^mnt_id:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${folder}`, 'latin1'))?.[1]
}

/** Opens a folder by its name in an opened one. A link there fails with ELOOP or ENOTDIR. */
export function openFolder(parent: number, name: Name): Io<number> {
	return open(below(parent, name), FOLDER)
}

/** The same, or undefined where nothing of that name is there. */
export function* openFolderIfThere(parent: number, name: Name): Io<number | undefined> {
	try {
		return yield* openFolder(parent, name)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
}

/**
 * fsync of a folder: its entries are durable. Does nothing where the file system has no such thing. A link is followed:
 * a haven's path may be one, and an opened folder's is.
 */
export function flushFolder(path: string): Io<void> {
	return withOpen(pathOf(path), constants.O_RDONLY | constants.O_DIRECTORY, flushOpened)
}

/** The same for a folder that is open. */
export function* flushOpened(folder: number): Io<void> {
	try {
		yield* fsync(folder)
	} catch (error) {
		if (!isNoFolderFlush(error)) throw error
	}
}

/** Whether an error says that folders can't be flushed here, as some network file systems answer. */
export function isNoFolderFlush(error: unknown): boolean {
	return hasCode(error, 'EINVAL', 'EBADF', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')
}

/** The names in an opened folder, exact also where they are no UTF-8. */
export function* namesIn(folder: number): Io<Name[]> {
	const names = yield* readdir(itself(folder))
	if (!names.some((name) => name.includes('\ufffd'))) return names
	return (yield* readdirBytes(itself(folder), { encoding: 'buffer' })).map(decodeName)
}

/** Makes a folder; one that is there already will do. True if it was made. */
export function* makeFolder(path: PathLike, mode: number): Io<boolean> {
	try {
		yield* mkdir(path, mode)
		return true
	} catch (error) {
		if (hasCode(error, 'EEXIST')) return false
		throw error
	}
}

/** A NAS takes its time for each. */
const REMOVED_AT_A_TIME = 8

/** Removes a file or a folder with all that is in it, following no link; what is gone already is no error. */
export function* removeTree(path: string): Io<void> {
	const found = yield* lstatIfThere(pathOf(path))
	if (!found) return
	try {
		if (!found.isDirectory()) return yield* unlink(pathOf(path))
		const names = yield* readdirBytes(pathOf(path), { encoding: 'buffer' })
		yield* each(names, REMOVED_AT_A_TIME, (name) => removeTree(`${path}/${decodeName(name)}`))
		yield* rmdir(pathOf(path))
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
}

const DEPTH_MAX = 64

/**
 * Removes what has this name in an opened folder, with all that is in it. Follows no link, also where somebody swaps a
 * folder for one meanwhile; what is gone already is no error.
 */
export function* removeBelow(parent: number, name: Name, depth = 0): Io<void> {
	if (depth > DEPTH_MAX) throw Object.assign(new Error(`folders are too deep in ${name}`), { code: 'ENAMETOOLONG' })
	try {
		const folder = yield* openUnlessOther(parent, name)
		if (folder === undefined) return yield* unlink(below(parent, name))
		try {
			for (const inner of yield* namesIn(folder)) yield* removeBelow(folder, inner, depth + 1)
		} finally {
			yield* close(folder)
		}
		yield* rmdir(below(parent, name))
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
}

/** Undefined for what is no folder. */
function* openUnlessOther(parent: number, name: Name): Io<number | undefined> {
	try {
		return yield* openFolder(parent, name)
	} catch (error) {
		if (hasCode(error, 'ELOOP', 'ENOTDIR')) return undefined
		throw error
	}
}

/** Whether a name is longer than this many bytes. */
export function isLongerThan(name: Name, bytes: number): boolean {
	return encodeName(name).length > bytes
}
