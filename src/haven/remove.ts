import { createFile, readWhole } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import { decodeName, pathOf } from '../files/names.ts'
import { lstatIfThere, readdirBytes, rmdir, unlink } from '../files/operations.ts'
import { receiptPath, receiptsFolder, removing, type SnapshotKey, snapshotFolder, snapshotsFolder } from './layout.ts'
import { namesOf } from './names-of.ts'
import { RECEIPT_BYTES_MAX } from './publish.ts'
import { readReceiptHead } from './receipt.ts'
import { moveIfThere, refuseLinks, there } from './renames.ts'
import { checkedRecord, recordBytes, withChecksum } from './sealed-text.ts'
import { fields, list, natural, snapshotKey, text } from './shapes.ts'

/** One sealed snapshot that is about to be removed. */
export interface Removal {
	/** Its number under the token: what `removing` makes its paths of. */
	number: number
	key: SnapshotKey
	/** The `id` of the receipt that is meant: another seal of the tag stays. */
	receiptId: string
}

/** A removal's intent: durable before the first of its renames, gone when all of them are. */
interface RemovalIntent {
	format: 1
	removals: Removal[]
}

const isIntent = fields({ removals: list(fields({ number: natural, key: snapshotKey, receiptId: text })) })

const INTENT_BYTES_MAX = 64 * 1024 * 1024

/** Notes down what is about to be removed. Durable only with the flush that follows, or `flush`. */
export function* writeRemovals(base: string, path: string, removals: Removal[], flush: boolean): Io<void> {
	const intent: RemovalIntent = { format: 1, removals }
	yield* createFile(`${base}/${path}`, withChecksum(JSON.stringify(intent)), { mode: 0o644, flush })
}

/** The removals that an earlier holder left in its folder, by intents that were written whole. */
export function* findRemovals(base: string, partial: string): Io<{ path: string; removals: Removal[] }[]> {
	const found: { path: string; removals: Removal[] }[] = []
	for (const name of yield* namesOf(`${base}/${partial}`)) {
		if (!/^removal-\d+\.json$/.test(name)) continue
		const path = `${partial}/${name}`
		const intent = checkedRecord<RemovalIntent>(yield* readWhole(`${base}/${path}`, INTENT_BYTES_MAX), isIntent)
		if (intent) found.push({ path, removals: intent.removals })
	}
	return found
}

/** Whether the snapshot's receipt is the one that is meant. */
export function* isMeant(base: string, { key, receiptId }: Pick<Removal, 'key' | 'receiptId'>): Io<boolean> {
	return (yield* receiptIdAt(base, receiptPath(key))) === receiptId
}

/**
 * Renames a snapshot out of its place, the receipt first. May be stopped anywhere and called again, after a power cut
 * too, whatever part of the renames that left. A folder goes only where its receipt went and no other came: what else
 * stands in its place is somebody else's. Call only behind a durable intent. Gives the folders to flush, which makes it durable; undefined
 * where the snapshot is not gone, its receipt being another or missing.
 */
export function* takeOut(base: string, partial: string, { number, key, receiptId }: Removal): Io<string[] | undefined> {
	const receipt = removing.receipt(partial, number)
	const folder = removing.folder(partial, number)
	yield* refuseLinks(base, receiptPath(key), snapshotFolder(key))
	if (yield* isMeant(base, { key, receiptId })) yield* moveIfThere(base, receiptPath(key), receipt)
	if ((yield* receiptIdAt(base, receipt)) !== receiptId) return undefined
	if (!(yield* there(base, receiptPath(key)))) yield* moveIfThere(base, snapshotFolder(key), folder)
	const flush = [partial]
	// Somebody may have removed the table's folders by hand.
	for (const folder of [receiptsFolder(key), snapshotsFolder(key)]) if (yield* there(base, folder)) flush.push(folder)
	return flush
}

/**
 * Deletes what was taken out. Call only when that is durable and the intent gone. Gives the bytes that it freed: of
 * files that no other snapshot shares. May be stopped anywhere; what is left is cleared away with the folder of partial.
 */
export function* clearRemoved(base: string, partial: string, { number }: Removal): Io<number> {
	// The receipt first: an intent that a power cut brings back finds nothing to go by.
	const freed = yield* removeCounting(`${base}/${removing.receipt(partial, number)}`)
	return freed + (yield* removeCounting(`${base}/${removing.folder(partial, number)}`))
}

/** Removes a tree, following no link, and adds up the sizes of files that had no other name. What is gone is no error. */
function* removeCounting(path: string): Io<number> {
	const found = yield* lstatIfThere(pathOf(path))
	if (!found) return 0
	try {
		if (!found.isDirectory()) {
			yield* unlink(pathOf(path))
			return found.nlink === 1n ? Number(found.size) : 0
		}
		let freed = 0
		for (const name of yield* readdirBytes(pathOf(path), { encoding: 'buffer' })) {
			freed += yield* removeCounting(`${path}/${decodeName(name)}`)
		}
		yield* rmdir(pathOf(path))
		return freed
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return 0
		throw error
	}
}

/** Undefined where there is no receipt, or none that holds. */
function* receiptIdAt(base: string, path: string): Io<string | undefined> {
	const bytes = yield* recordBytes(`${base}/${path}`, RECEIPT_BYTES_MAX)
	return bytes && readReceiptHead(bytes)?.id
}
