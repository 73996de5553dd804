import { listSnapshot, openTable, type TableLocation } from '../cassandra/list-snapshot.ts'
import { MANIFEST, type SnapshotListing, youngestChangeNs } from '../cassandra/snapshot.ts'
import { below, openFolderIfThere } from '../files/folders.ts'
import { atOnce, each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, lstatIfThere, rmdir, stat, unlink } from '../files/operations.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { Receipt } from '../haven/receipt.ts'
import { readSnapshotReceipt } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'
import { mayBeBegun, relate } from './compare.ts'
import { refuseMounts } from './mounts.ts'
import { SourceChanged } from './source-changed.ts'
import { type SourceFolders, withSourceFolders } from './source-folders.ts'

/** Whether the snapshot is gone from the node, or why it was left there. */
type Removal =
	| { removed: true }
	/**
	 * `failed`: not for its own good, but because the system did not let us. `untilMs`: it may go from then on, in ms since
	 * the epoch.
	 */
	| { removed: false; reason: string; failed?: true; untilMs?: number }
	/** It may go once the receipt of this `id` has the mark `moving`. */
	| { removed: false; reason: string; unmarked: string }

/**
 * Deletes a snapshot on the node, whose durable receipt says that it is whole and that it is being moved: only where a
 * new listing shows the very files that were copied, and never outside of its `snapshots/<tag>/`. manifest.json goes last.
 */
export function* removeSource(base: string, location: TableLocation, tag: string): Io<Removal> {
	const receipt = yield* onHaven(readSnapshotReceipt(base, { keyspace: location.keyspace, table: location.table, tag }))
	if (!receipt) return { removed: false, reason: 'the haven has no receipt of it' }
	if (receipt.state === 'damaged')
		return { removed: false, reason: 'it is damaged, and the node may have the only better copy' }
	if (receipt.state !== 'whole') return { removed: false, reason: 'nothing proves that Cassandra had finished it' }
	const listing = yield* atOnce(listSnapshot(location, tag))
	if (!listing) return { removed: true }
	const [left] = listing.leftOut
	if (left) return { removed: false, reason: `it holds ${left.path}, a ${left.kind}, which is not in the haven` }
	const related = relate(listing, receipt)
	if (related.relation === 'other') return { removed: false, reason: `it is not what was copied: ${related.reason}` }
	if (mayBeBegun(listing) && !isEmptyForLong(listing))
		return {
			removed: false,
			reason: `it has no ${MANIFEST} any more: Cassandra may be taking it anew`,
			...later(listing),
		}
	const missing = yield* onHaven(missingInHaven(base, receipt))
	if (missing !== undefined) return { removed: false, reason: `the haven has lost ${missing} of it` }
	if (!receipt.moving)
		return { removed: false, reason: 'its receipt could not be marked as moved', unmarked: receipt.id }
	try {
		yield* withSourceFolders(location, tag, listing.dataDirectories, function* (folders) {
			yield* refuseMounts(location, listing, folders)
			yield* removeFiles(listing, folders)
		})
		for (const dataDirectory of listing.dataDirectories) yield* removeTagFolder(location, tag, dataDirectory)
	} catch (error) {
		if (hasCode(error)) return { removed: false, reason: error.message, failed: true }
		if (error instanceof SourceChanged) return yield* whatIsThereNow(location, tag, error)
		throw error
	}
	return { removed: true }
}

/** Somebody cleared the snapshot, or took one of its name, since it was listed. */
function* whatIsThereNow(location: TableLocation, tag: string, { message }: SourceChanged): Io<Removal> {
	if (!(yield* atOnce(listSnapshot(location, tag)))) return { removed: true }
	const untilMs = Date.now() + LOOK_AGAIN_MS
	return { removed: false, reason: `it changed while it was to be deleted: ${message}`, untilMs }
}

const LOOK_AGAIN_MS = 1000

/** A folder that an earlier deletion has emptied, and not one that Cassandra has just made. */
function isEmptyForLong(listing: SnapshotListing): boolean {
	return listing.files.length === 0 && emptyForLongMs(listing) < Date.now()
}

/** From when on an empty folder counts as emptied by us. */
function emptyForLongMs(listing: SnapshotListing): number {
	return Number(youngestChangeNs(listing) / 1_000_000n) + EMPTY_MS_MIN
}

function later(listing: SnapshotListing): { untilMs?: number } {
	return listing.files.length === 0 ? { untilMs: emptyForLongMs(listing) } : {}
}

const EMPTY_MS_MIN = 60_000

/** The first file that is no longer in the haven as its receipt says, as far as a look tells. */
function* missingInHaven(base: string, receipt: Receipt): Io<string | undefined> {
	const folder = `${base}/${snapshotFolder(receipt)}`
	const missing = yield* each(receipt.files, LOOKS_IN_FLIGHT, function* ({ path, size }) {
		const found = yield* lstatIfThere(pathOf(`${folder}/${path}`))
		return found?.isFile() && Number(found.size) === size ? undefined : path
	})
	return missing.find((path) => path !== undefined)
}

const LOOKS_IN_FLIGHT = 16

/**
 * Each file in the very folders that were listed. Of several manifests the one that was copied goes last: as long as it is there, so is the proof of
 * what this was. Throws SourceChanged, before anything is deleted, where another folder has come into the place of one.
 */
function* removeFiles(listing: SnapshotListing, folders: SourceFolders): Io<void> {
	for (const { directory, path, ino, mtimeNs } of listing.folders) {
		const found = yield* stat(yield* folders.folder(directory, path))
		// A folder that is made where one was removed may well get its inode number.
		const isSame = found.ino === ino && found.mtimeNs === mtimeNs
		if (!isSame) throw new SourceChanged(`${path || 'its folder'} is another`)
	}
	const last = listing.files.filter(({ path }) => path === MANIFEST)
	const first = [...listing.superseded, ...listing.files.filter(({ path }) => path !== MANIFEST)]
	for (const file of [...first, ...last]) {
		yield* unlessGone(unlink(yield* folders.pathOf(file)))
	}
	const inner = listing.folders.filter(({ path }) => path !== '')
	for (const { directory, path } of inner.sort((a, b) => b.path.length - a.path.length)) {
		const slash = path.lastIndexOf('/')
		const parent = yield* folders.folder(directory, path.slice(0, Math.max(0, slash)))
		yield* unlessGone(rmdir(below(parent, path.slice(slash + 1))))
	}
}

function* unlessGone(removal: Io<void>): Io<void> {
	try {
		yield* removal
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
}

function* removeTagFolder(location: TableLocation, tag: string, dataDirectory: string): Io<void> {
	const table = yield* openTable(dataDirectory, location.keyspace, location.table)
	if (table === undefined) return
	try {
		const snapshots = yield* openFolderIfThere(table, 'snapshots')
		if (snapshots === undefined) return
		try {
			yield* unlessGone(rmdir(below(snapshots, tag)))
		} catch (error) {
			if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) throw error
			throw new SourceChanged('another of its name has come')
		} finally {
			yield* close(snapshots)
		}
	} finally {
		yield* close(table)
	}
}
