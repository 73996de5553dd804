import { crc32 } from '../files/builtins.ts'
import { READ, readFully } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { fsync, lstatIfThere, stat, withOpen } from '../files/operations.ts'
import { gathering, receiptPath, snapshotFolder } from './layout.ts'
import { namesOf } from './names-of.ts'
import { type Intent, type Publication, publish, RECEIPT_BYTES_MAX, readIntent } from './publish.ts'
import { type Receipt, type ReceiptFile, readReceipt } from './receipt.ts'
import { refuseLinks } from './renames.ts'
import { checksumOf, hex, recordBytes } from './sealed-text.ts'
import { finishSettingAside } from './set-aside.ts'
import { withdraw } from './withdraw.ts'

/** The intents that an earlier holder left in its folder, those that were written whole, as paths. */
export function* findIntents(base: string, partial: string): Io<{ path: string; intent: Intent }[]> {
	const intents: { path: string; intent: Intent }[] = []
	for (const name of yield* namesOf(`${base}/${partial}`)) {
		if (!/^group-\d+\.json$/.test(name)) continue
		const path = `${partial}/${name}`
		const intent = yield* readIntent(base, path)
		if (intent) intents.push({ path, intent })
	}
	return intents
}

/** Why a publication was undone. */
export interface Undone {
	problem: string
	/** Where what was visible of it is now, relative to the haven. */
	setAside?: string
}

/**
 * Brings a publication that was begun to an end: reads every byte again and compares it with the receipt's CRCs, then
 * finishes it, or undoes it where something is not as the receipt says. May be stopped anywhere and called again.
 * Tells where it was undone.
 */
export function* recover(base: string, partial: string, publication: Publication): Io<Undone | undefined> {
	yield* refuseLinks(base, snapshotFolder(publication.key), receiptPath(publication.key), `${partial}/`)
	const problem = yield* whatIsWrong(base, partial, publication)
	if (problem === undefined) {
		yield* finishSettingAside(base, partial, publication)
		yield* publish(base, partial, publication)
		return undefined
	}
	const setAside = yield* withdraw(base, partial, publication, 'inherited')
	return { problem, ...(setAside === undefined ? {} : { setAside }) }
}

function* whatIsWrong(base: string, partial: string, publication: Publication): Io<string | undefined> {
	const { number, key } = publication
	const receipt =
		(yield* receiptAt(`${base}/${gathering.receipt(partial, number)}`, publication)) ??
		(yield* receiptAt(`${base}/${receiptPath(key)}`, publication))
	if (!receipt) return 'its receipt was not written whole'
	const gathered = `${base}/${gathering.folder(partial, number)}`
	const folder = (yield* lstatIfThere(gathered)) ? gathered : `${base}/${snapshotFolder(key)}`
	return yield* disagreement(folder, receipt.files)
}

/** The receipt at a path, where it is the one of this checksum. */
export function* receiptAt(
	path: string,
	{ receiptChecksum }: Pick<Publication, 'receiptChecksum'>,
): Io<Receipt | undefined> {
	const bytes = yield* recordBytes(path, RECEIPT_BYTES_MAX)
	if (!bytes || checksumOf(bytes.toString('latin1', Math.max(0, bytes.length - 32))) !== receiptChecksum) {
		return undefined
	}
	return readReceipt(bytes)
}

/** The first file that is not as the receipt says, reading every byte of all. */
export function* disagreement(folder: string, files: readonly ReceiptFile[]): Io<string | undefined> {
	for (const file of files) {
		try {
			const found = yield* checksum(`${folder}/${file.path}`)
			if (found.size !== file.size) return `${file.path} has ${found.size} bytes, not ${file.size}`
			if (hex(found.crc) !== file.crc32) return `${file.path} has other bytes than were copied`
		} catch (error) {
			if (hasCode(error, 'ENOENT', 'ENOTDIR')) return `${file.path} is missing`
			if (hasCode(error, 'EISDIR', 'ELOOP')) return `${file.path} is no file`
			if (hasCode(error, 'EIO', 'EACCES')) return `${file.path} can’t be read (${error.code})`
			throw error
		}
	}
	return undefined
}

const CHUNK_BYTES = 1024 * 1024

/** Size and CRC-32 of a file as it can be read now. */
function checksum(path: string): Io<{ size: number; crc: number }> {
	return withOpen(pathOf(path), READ, function* (fd) {
		const expected = Number((yield* stat(fd)).size)
		const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, expected + 1))
		let size = 0
		let crc = 0
		for (;;) {
			const got = yield* readFully(fd, buffer, 0, null)
			crc = crc32(buffer.subarray(0, got), crc)
			size += got
			if (got < buffer.length) break
		}
		// What was read may be in memory alone, after a write that was lost: the file itself tells of it, once more.
		yield* fsync(fd)
		return { size, crc }
	})
}
