import { openFolderOrOwnLink } from '../cassandra/list-snapshot.ts'
import { failure } from '../errors.ts'
import { constants } from '../files/builtins.ts'
import { ownAs } from '../files/contents.ts'
import { below, flushOpened, makeFolder, openFolder } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, fchmod, open } from '../files/operations.ts'

/** How folders that are missing are made. */
export interface Making {
	mode: number
	/** Who the data directory belongs to: Cassandra's user. */
	owner: { uid: number; gid: number }
}

/**
 * Works with a folder of a data directory, opened part by part: whoever may write into the data directory is not to lead
 * us anywhere else. As for openTable, only a keyspace's or table's folder may be a link, of root's or our own.
 * @param path Within the data directory; `''` is itself.
 */
export function* withDataFolder<T>(
	dataDirectory: string,
	path: string,
	work: (folder: number) => Io<T>,
	making?: Making,
): Io<T> {
	const folder = yield* openWithin(dataDirectory, path, making)
	try {
		return yield* work(folder)
	} finally {
		yield* close(folder)
	}
}

/** The same, opened for the caller to close. Fails with ENOENT where it is not there, and is not to be made. */
export function* openWithin(dataDirectory: string, path: string, making?: Making): Io<number> {
	let folder = yield* open(pathOf(dataDirectory), constants.O_RDONLY | constants.O_DIRECTORY)
	const parts = path.split('/').filter((part) => part !== '')
	for (const [depth, name] of parts.entries()) {
		const parent = folder
		try {
			if (making) yield* make(parent, name, making)
			const mayBeLink = depth < 2 && !path.startsWith('.')
			folder = yield* mayBeLink ? openOwn(parent, name) : openFolder(parent, name)
		} finally {
			yield* close(parent)
		}
	}
	return folder
}

function* openOwn(parent: number, name: string): Io<number> {
	return (yield* openFolderOrOwnLink(parent, name)) ?? (yield* openFolder(parent, name))
}

/** One that is there stays as it is; one that is made is there for good, since what is moved into it would go with it. */
function* make(parent: number, name: string, { mode, owner }: Making): Io<void> {
	if (!(yield* makeFolder(below(parent, name), mode))) return
	yield* flushOpened(parent)
	const folder = yield* openFolder(parent, name)
	try {
		yield* ownAs(folder, owner)
		yield* fchmod(folder, mode)
	} finally {
		yield* close(folder)
	}
}

/** Does work in a data directory; a system call that fails there is told as such. */
export async function inDataDirectory<T>(dataDirectory: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(
			`what is in ${dataDirectory} can’t be worked with: ${error.syscall === undefined ? error.message : error.code}`,
			'Run as the user that Cassandra runs as, or as root; see that nobody else changes what is there.',
			error,
		)
	}
}
