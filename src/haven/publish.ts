import { dirname } from 'node:path'
import { createFile, readWhole } from '../files/contents.ts'
import { flushFolder, removeTree } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { link, lstatIfThere, rename } from '../files/operations.ts'
import { gathering, receiptPath, type SnapshotKey, snapshotFolder } from './layout.ts'
import { makePlacesAnew } from './places.ts'
import { move, moveIfThere, there } from './renames.ts'
import { checkedRecord, checkedText, recordBytes, withChecksum } from './sealed-text.ts'
import { setAside } from './set-aside.ts'
import { crc, fields, list, natural, snapshotKey } from './shapes.ts'

/** One snapshot that a group is about to publish: gathered, its receipt beside it. */
export interface Publication {
	/** Its number under the token: what `gathering` makes its paths of. */
	number: number
	key: SnapshotKey
	/** The checksum that its receipt ends with. */
	receiptChecksum: string
}

/** A group's intent: durable before the first of its renames, gone when all of them are. */
export interface Intent {
	format: 1
	publications: Publication[]
}

const isIntent = fields({ publications: list(fields({ number: natural, key: snapshotKey, receiptChecksum: crc })) })

const INTENT_BYTES_MAX = 64 * 1024 * 1024

/** Notes down what is about to be published. Durable only with the flush that follows, or `flush`. */
export function* writeIntent(base: string, path: string, publications: Publication[], flush: boolean): Io<void> {
	const intent: Intent = { format: 1, publications }
	yield* createFile(`${base}/${path}`, withChecksum(JSON.stringify(intent)), { mode: 0o644, flush })
}

/** Reads an intent; undefined where it was not written whole, so that nothing was begun by it. */
export function* readIntent(base: string, path: string): Io<Intent | undefined> {
	return checkedRecord<Intent>(yield* readWhole(`${base}/${path}`, INTENT_BYTES_MAX), isIntent)
}

export interface Published {
	/** An older copy of the tag made room for it. */
	replaced: boolean
	/** A folder that no receipt knew stood in its place: where it is now, relative to the haven. */
	setAside?: string
}

/**
 * Renames a gathered snapshot and its receipt into place. May be stopped anywhere and called again: each step is left
 * out where it was done. Call only behind a durable intent; durable with the flush that follows.
 */
export function* publish(base: string, partial: string, publication: Publication): Io<Published> {
	const from = gathering.folder(partial, publication.number)
	const to = snapshotFolder(publication.key)
	let result: Published = { replaced: (yield* there(base, gathering.old(partial, publication.number))) !== undefined }
	if (!(yield* moveToPlace(base, from, to, publication.key)) && (yield* there(base, from))) {
		result = yield* makeRoom(base, partial, publication)
		yield* move(base, from, to)
	}
	const receipt = gathering.receipt(partial, publication.number)
	const sealed = yield* moveToPlace(base, receipt, receiptPath(publication.key), publication.key)
	if (!sealed && (yield* there(base, receipt))) yield* move(base, receipt, receiptPath(publication.key))
	return result
}

/** Whether the rename was done. The table's folders are made again where somebody has removed them since the gathering. */
function* moveToPlace(base: string, from: string, to: string, key: SnapshotKey): Io<boolean> {
	if (yield* moveIfThere(base, from, to)) return true
	if (!(yield* there(base, from)) || !(yield* makePlacesAnew(base, key))) return false
	return yield* moveIfThere(base, from, to)
}

/** Removes what is no longer needed by anybody. Call only when all is durable and the intent gone. */
export function* clearUp(base: string, partial: string, { number }: Publication): Io<void> {
	yield* removeTree(`${base}/${gathering.progress(partial, number)}`)
	yield* removeTree(`${base}/${gathering.old(partial, number)}`)
	yield* removeTree(`${base}/${gathering.oldReceipt(partial, number)}`)
}

/** Whether there is a receipt whose checksum holds: only what it speaks for may be replaced for good. */
function* holds(base: string, path: string): Io<boolean> {
	const bytes = yield* recordBytes(`${base}/${path}`, RECEIPT_BYTES_MAX)
	return bytes !== undefined && checkedText(bytes) !== undefined
}

/** Takes what stands in the snapshot's place out of it: an older seal's copy into partial, anything else aside for good. */
function* makeRoom(base: string, partial: string, publication: Publication): Io<Published> {
	const { number, key } = publication
	const old = gathering.old(partial, number)
	const known = yield* holds(base, receiptPath(key))
	if (known && !(yield* there(base, old))) {
		yield* keepOldReceipt(base, partial, number, key)
		yield* move(base, snapshotFolder(key), old)
		return { replaced: true }
	}
	return { replaced: known, setAside: yield* setAside(base, partial, publication) }
}

/** Keeps the older seal's receipt until the new one is durable, so that it can be given back. */
export function* keepOldReceipt(base: string, partial: string, number: number, key: SnapshotKey): Io<void> {
	const kept = `${base}/${gathering.oldReceipt(partial, number)}`
	if (yield* lstatIfThere(kept)) return
	try {
		yield* link(`${base}/${receiptPath(key)}`, kept)
	} catch (error) {
		if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE', 'ENOENT')) throw error
		const text = (yield* readWhole(`${base}/${receiptPath(key)}`, RECEIPT_BYTES_MAX)).toString('utf8')
		yield* removeTree(`${kept}.draft`)
		yield* createFile(`${kept}.draft`, text, { mode: 0o644, flush: true })
		yield* rename(`${kept}.draft`, kept)
	}
	yield* flushFolder(dirname(kept))
}

/** A receipt of a million files takes about 250 MB. */
export const RECEIPT_BYTES_MAX = 2 ** 30
