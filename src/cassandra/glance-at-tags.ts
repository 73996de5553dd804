import { fs } from '../files/builtins.ts'
import { below, namesIn, openFolder } from '../files/folders.ts'
import { hasCode, type Io, operation } from '../files/io.ts'
import type { Name, PathLike } from '../files/names.ts'
import { close, type Stat } from '../files/operations.ts'
import { openFolderOrOwnLink } from './list-snapshot.ts'
import { isDue, REST_MS, type SeenTag } from './old-tags.ts'
import { rememberedNames } from './remembered-names.ts'

/** The folders of a table's tags in one data directory. */
interface TagsGlance {
	/** Another one whenever a tag's folder has appeared, gone, been replaced or changed its mtime. */
	mark: string
	/** The youngest mtime of `snapshots/` and of the tags' folders, ms since the epoch; 0 where there are none. */
	changedMs: number
	/** How many folders a watch of the table takes; 0 where it is a link, which no watch follows. */
	folders: number
}

/**
 * Glances at the tags of a table, which is a folder in an opened keyspace's, or a link to one; undefined where a link
 * leads to none. `path` is what the tags' names are remembered by. A table that can't be looked into has the error for
 * its mark, so that a look at it tells.
 */
export function* glanceAtTags(
	keyspace: number,
	{ table, isLink, path }: { table: Name; isLink: boolean; path: string },
): Io<TagsGlance | undefined> {
	try {
		if (!isLink) return yield* glanceIn(keyspace, `${table}/snapshots`, path)
		const folder = yield* openFolderOrOwnLink(keyspace, table)
		if (folder === undefined) return undefined
		try {
			return { ...(yield* glanceIn(folder, 'snapshots', path)), folders: 0 }
		} finally {
			yield* close(folder)
		}
	} catch (error) {
		if (!hasCode(error)) throw error
		return error.code === 'ENOTDIR' ? undefined : { mark: String(error.code), changedMs: 0, folders: 0 }
	}
}

function* glanceIn(parent: number, snapshots: string, path: string): Io<TagsGlance> {
	const folder = yield* lstatQuietly(below(parent, snapshots))
	if (!folder?.isDirectory()) return { mark: '', changedMs: 0, folders: 1 }
	const tags = yield* rememberedNames(path, folder, () => tagsIn(parent, snapshots))
	const nowMs = Date.now()
	let mark = String(folder.dev)
	let youngestNs = folder.mtimeNs
	let folders = 2
	for (const tag of tags) {
		if (isDue(tag.seen, nowMs)) {
			const entry = yield* lstatQuietly(below(parent, `${snapshots}/${tag.name}`))
			tag.seen = seenAt(nowMs, tag.name, entry)
		}
		if (!tag.seen) continue
		mark += tag.seen.mark
		folders++
		if (tag.seen.mtimeNs > youngestNs) youngestNs = tag.seen.mtimeNs
	}
	return { mark, changedMs: Number(youngestNs / 1_000_000n), folders }
}

/** A name in `snapshots/`, and what was last seen there, where that was a folder. */
interface Tag {
	name: Name
	seen: SeenTag | undefined
}

function* tagsIn(parent: number, name: string): Io<Tag[]> {
	const folder = yield* openFolder(parent, name)
	try {
		return (yield* namesIn(folder)).sort().map((tag) => ({ name: tag, seen: undefined }))
	} finally {
		yield* close(folder)
	}
}

function seenAt(nowMs: number, name: Name, entry: Stat | undefined): SeenTag | undefined {
	if (!entry?.isDirectory()) return undefined
	const { ino, mtimeNs } = entry
	// A name has no "/" in it: no two states have one mark.
	return { mark: `/${name}/${ino}/${mtimeNs}`, mtimeNs, seenMs: nowMs, restMs: REST_MS * (0.5 + Math.random() / 2) }
}

/** lstatIfThere without an exception, which costs three times the call: most tables have no snapshots. */
const lstatQuietly = operation<[path: PathLike], Stat | undefined>(
	(path) => fs.lstatSync(path, { bigint: true, throwIfNoEntry: false }),
	(path: PathLike, done: (error: Error | null, found?: Stat) => void) =>
		fs.lstat(path, { bigint: true }, (error, found) => (error?.code === 'ENOENT' ? done(null) : done(error, found))),
)
