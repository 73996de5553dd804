import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { LiveListing } from '../cassandra/live-listing.ts'
import { gather } from '../cassandra/live-sstables.ts'
import { lookAtLive } from '../cassandra/look-at-live.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstat, lstatIfThere, stat, unlink } from '../files/operations.ts'
import { readBackups } from '../haven/backups.ts'
import { BACKUPS, snapshotFolder } from '../haven/layout.ts'
import type { ReceiptFile } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { CLOCK_MS, oldestMs } from './backups-look.ts'
import { isVeryFile } from './compare.ts'
import { refuseMounts } from './mounts.ts'
import { findPrunable, type Prunable } from './prunable.ts'
import { SourceChanged } from './source-changed.ts'
import { type SourceFolders, withSourceFolders } from './source-folders.ts'
import type { Amount } from './types.ts'

/** What went from a table's `backups/` on the node, or would go. */
export interface PrunedBackups extends Amount {
	sstables: number
	/** What stays although it was sealed, and why, in words. */
	kept: string[]
	/** See Pruning. */
	untilMs: number | undefined
}

/**
 * Deletes on the node what of a table's `backups/` was sealed so many ms ago: only the very files of a receipt that was
 * read back, and of which the haven has each copy. Never outside of `backups/`.
 */
export function* pruneBackups(
	base: string,
	location: TableLocation,
	{ afterMs, dryRun }: { afterMs: number; dryRun: boolean },
): Io<PrunedBackups> {
	const done: PrunedBackups = { sstables: 0, files: 0, bytes: 0, kept: [], untilMs: undefined }
	const listing = yield* lookAtLive(location, 'backups')
	// It changes all the time: a later look is coming.
	if (!listing) return done
	const sstables = [...gather(listing).values()].flat()
	if (sstables.length === 0) return done
	const receipts = yield* onHaven(readBackups(base, location, oldestMs(sstables) - CLOCK_MS))
	const { go, kept, untilMs } = findPrunable(sstables, receipts, { afterMs, nowMs: Date.now() })
	done.kept = kept
	done.untilMs = untilMs
	if (go.length === 0) return done
	const pruning = withSourceFolders(location, BACKUPS, listing.dataDirectories, function* (folders) {
		yield* refuseMounts(location, listing, folders)
		for (const one of go) {
			yield* keeping(done, `${one.sstable.prefix.slice(0, -1)}: `, pruneOne(base, listing, one, folders, dryRun, done))
		}
	})
	yield* keeping(done, '', pruning)
	return done
}

/** What is another by now stays: a later look finds what it is. */
function* keeping(done: PrunedBackups, what: string, work: Io<void>): Io<void> {
	try {
		yield* work
	} catch (error) {
		if (!(error instanceof SourceChanged)) throw error
		done.kept.push(`${what}${error.message}`)
	}
}

function* pruneOne(
	base: string,
	listing: LiveListing,
	one: Prunable,
	folders: SourceFolders,
	dryRun: boolean,
	done: PrunedBackups,
): Io<void> {
	const lost = yield* onHaven(missingInHaven(base, one))
	if (lost !== undefined) throw new SourceChanged(`the haven has lost ${lost}`)
	yield* checkFolder(listing, one, folders)
	yield* prune(one, folders, dryRun, done)
}

const LOOKS_IN_FLIGHT = 16

/** The first file that is no longer in the haven as its receipt says, as far as a look tells. */
function* missingInHaven(base: string, { part, files }: Prunable): Io<string | undefined> {
	const folder = `${base}/${snapshotFolder(part)}`
	const missing = yield* each(files, LOOKS_IN_FLIGHT, function* ({ path, size }: ReceiptFile) {
		const found = yield* lstatIfThere(pathOf(`${folder}/${path}`))
		return found?.isFile() && Number(found.size) === size ? undefined : path
	})
	return missing.find((path) => path !== undefined)
}

/** Another folder may have come into the place of the one that was listed. */
function* checkFolder(
	listing: LiveListing,
	{ sstable: { directory, prefix } }: Prunable,
	folders: SourceFolders,
): Io<void> {
	const path = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
	const listed = listing.folders.find((one) => one.directory === directory && one.path === path)
	const found = yield* stat(yield* folders.folder(directory, path))
	if (found.ino !== listed?.own.ino) throw new SourceChanged('its folder is another')
}

/** Data.db goes last: as long as it is there, a look knows the SSTable as one that was sealed. */
function* prune({ sstable, files }: Prunable, folders: SourceFolders, dryRun: boolean, done: PrunedBackups): Io<void> {
	const inOrder = files.toSorted((one, other) => Number(isData(one)) - Number(isData(other)))
	for (const file of inOrder) {
		const listed = sstable.files.find(({ name }) => file.path.endsWith(name))
		if (!listed) continue
		const at = yield* folders.pathOf({ ...listed, path: file.path, directory: sstable.directory })
		try {
			const { ino, size, mtimeNs } = yield* lstat(at, { bigint: true })
			if (!isVeryFile({ path: file.path, ino, size: Number(size), mtimeNs }, file)) {
				throw new SourceChanged(`${file.path} changed while it was to be deleted`)
			}
			if (!dryRun) yield* unlink(at)
			done.files += 1
			done.bytes += file.size
		} catch (error) {
			if (!hasCode(error, 'ENOENT')) throw error
		}
	}
	done.sstables += 1
}

function isData({ path }: ReceiptFile): boolean {
	return parseComponent(path)?.component === 'Data.db'
}
