import { openTable, openTag, type TableLocation } from '../cassandra/list-snapshot.ts'
import type { SnapshotFile } from '../cassandra/snapshot.ts'
import { failure } from '../errors.ts'
import { below, openFolder, openFolderIfThere } from '../files/folders.ts'
import { atOnce, done, hasCode, type Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import { close } from '../files/operations.ts'
import { isBackups, LIVE } from '../haven/layout.ts'
import { SourceChanged } from './source-changed.ts'

/** A snapshot's folders on the node, each opened once, none through a link. */
export interface SourceFolders {
	/** The path to open a file by. */
	pathOf: (file: SnapshotFile) => Io<PathLike>
	/** The opened folder of a path within the snapshot (`''` the tag's own), of a data directory by its index. */
	folder: (directory: number, path: string) => Io<number>
}

/** Works with a snapshot's opened folders (LIVE: the table's own; of backups: `backups/`), and closes them whatever happens. `dataDirectories` as in the listing. */
export function* withSourceFolders<T>(
	location: TableLocation,
	tag: string,
	dataDirectories: string[],
	work: (folders: SourceFolders) => Io<T>,
): Io<T> {
	const opened = new Map<string, number>()
	// Most files are in the folder of the one before.
	let last: { directory: number; path: string; fd: number } | undefined
	function find(directory: number, path: string): number | undefined {
		if (last?.directory === directory && last.path === path) return last.fd
		const fd = opened.get(`${directory}/${path}`)
		if (fd !== undefined) last = { directory, path, fd }
		return fd
	}
	function folder(directory: number, path: string): Io<number> {
		const known = find(directory, path)
		return known === undefined ? openAnew(directory, path) : done(known)
	}
	function* openAnew(directory: number, path: string): Io<number> {
		const key = `${directory}/${path}`
		const fd = yield* atOnce(onNode(path || tag, path === '' ? openTop(directory) : openInner(directory, path)))
		// With calls in flight side by side another may have opened it meanwhile.
		const other = opened.get(key)
		if (other !== undefined) {
			yield* atOnce(close(fd))
			return other
		}
		opened.set(key, fd)
		return fd
	}
	function* openTop(directory: number): Io<number> {
		const table = yield* openTable(dataDirectories[directory] ?? '', location.keyspace, location.table)
		if (table === undefined) throw gone(tag)
		if (tag === LIVE) return table
		try {
			const fd = yield* isBackups(tag) ? openFolderIfThere(table, 'backups') : openTag(table, tag)
			if (fd === undefined) throw gone(tag)
			return fd
		} finally {
			yield* close(table)
		}
	}
	function* openInner(directory: number, path: string): Io<number> {
		const slash = path.lastIndexOf('/')
		return yield* openFolder(yield* folder(directory, path.slice(0, Math.max(0, slash))), path.slice(slash + 1))
	}
	function pathOf({ directory, path }: SnapshotFile): Io<PathLike> {
		const slash = path.lastIndexOf('/')
		const [inner, name] = slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)]
		const known = find(directory, inner)
		return known === undefined ? openedFirst(directory, inner, name) : done(below(known, name))
	}
	function* openedFirst(directory: number, inner: string, name: string): Io<PathLike> {
		return below(yield* folder(directory, inner), name)
	}
	try {
		return yield* work({ pathOf, folder })
	} finally {
		for (const fd of opened.values()) yield* atOnce(close(fd))
	}
}

function gone(tag: string): SourceChanged {
	if (tag === LIVE) return new SourceChanged('the table is gone')
	return new SourceChanged(isBackups(tag) ? 'backups/ is gone' : `the snapshot ${tag} is gone`)
}

/** Does work on the node's folders; a system call that fails is told as what it means there. */
function* onNode<T>(what: string, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) throw new SourceChanged(`${what} is gone or another`)
		if (hasCode(error)) throw failure(`can’t open ${what} on the node: ${error.message}`, undefined, error)
		throw error
	}
}
