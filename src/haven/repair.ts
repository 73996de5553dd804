import { crc32 } from '../files/builtins.ts'
import { CREATE, ownAs, READ, writeFully } from '../files/contents.ts'
import { flushFolder, makeFolder, removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { fchmod, fsync, futimes, link, lstatIfThere, read, rename, withOpen } from '../files/operations.ts'
import { repairing, type SnapshotKey, snapshotFolder } from './layout.ts'
import { readSealed } from './read-sealed.ts'
import type { ReceiptFile } from './receipt.ts'
import { refuseLinks } from './renames.ts'
import { hex } from './sealed-text.ts'

/** A damaged file, under the names that snapshots share it by. */
export interface Repair {
	/** Its number under the token. */
	number: number
	/** Snapshots, and the file's path within each. */
	targets: { key: SnapshotKey; path: string }[]
}

/** What a copy was proven to have. */
export type Proven = Pick<ReceiptFile, 'size' | 'crc32'>

/**
 * Copies what is thought to be a good copy into `partial`, durably, its CRC-32 held against the first target's receipt on
 * the way. Gives why it is none, if so; then nothing is left of it.
 * @param from The good copy: relative to the haven, or absolute.
 */
export function* draftRepair(
	base: string,
	partial: string,
	{ number, targets }: Repair,
	from: string,
): Io<Proven | string> {
	const draft = `${base}/${repairing.file(partial, number)}`
	const [first] = targets
	const file = first && (yield* sealedFile(base, first.key, first.path))
	if (!file) return NOT_SEALED
	yield* removeTree(draft)
	const problem = yield* copyGood(from.startsWith('/') ? from : `${base}/${from}`, draft, file)
	if (problem === undefined) return { size: file.size, crc32: file.crc32 }
	yield* removeTree(draft)
	return problem
}

/**
 * Puts the draft in the place of the damaged file, under each of its names: by links, or where there is one name only, by
 * a rename. May be stopped anywhere: each name leads to the old file or to a whole new one. Gives why it was not done, if
 * so; what was replaced by then stays so. The caller sees to it that no snapshot is published or removed meanwhile.
 */
export function* putRepaired(
	base: string,
	partial: string,
	{ number, targets }: Repair,
	proven: Proven,
): Io<string | undefined> {
	let problem: string | undefined
	for (const { key, path } of targets) {
		yield* refuseLinks(base, `${snapshotFolder(key)}/${path}`)
		const file = yield* sealedFile(base, key, path)
		if (file?.size !== proven.size || file.crc32 !== proven.crc32) {
			problem = NOT_SEALED
			break
		}
		yield* putInPlace(base, partial, { number, isLinked: targets.length > 1 }, `${snapshotFolder(key)}/${path}`)
	}
	yield* removeTree(`${base}/${repairing.file(partial, number)}`)
	return problem
}

const NOT_SEALED = 'its snapshot was sealed anew or removed meanwhile'

function* sealedFile(base: string, key: SnapshotKey, path: string): Io<ReceiptFile | undefined> {
	const read = yield* readSealed(base, key)
	return 'receipt' in read ? read.receipt.files.find((file) => file.path === path) : undefined
}

const CHUNK_BYTES = 1024 * 1024

/** Copies and flushes. Gives what is wrong with the copy that was thought to be good. */
function* copyGood(from: string, to: string, file: ReceiptFile): Io<string | undefined> {
	const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)
	let crc = 0
	let size = 0
	yield* withOpen(pathOf(from), READ, function* (source) {
		yield* withOpen(
			to,
			CREATE,
			function* (target) {
				for (;;) {
					const got = yield* read(source, buffer, 0, buffer.length, null)
					if (got === 0) break
					crc = crc32(buffer.subarray(0, got), crc)
					size += got
					yield* writeFully(target, buffer, got, null)
				}
				yield* ownAs(target, file)
				yield* fchmod(target, file.mode)
				const seconds = Number(file.mtimeNs) / 1e9
				yield* futimes(target, seconds, seconds)
				yield* fsync(target)
			},
			0o600,
		)
	})
	if (size === file.size && hex(crc) === file.crc32) return undefined
	return `${from} is no good copy any more: ${size} bytes with CRC-32 ${hex(crc)}`
}

/** Anything but a file in its place is taken out first, for good: a folder can't be replaced by a rename. */
function* putInPlace(
	base: string,
	partial: string,
	{ number, isLinked }: { number: number; isLinked: boolean },
	path: string,
): Io<void> {
	const draft = `${base}/${repairing.file(partial, number)}`
	const name = `${base}/${repairing.name(partial, number)}`
	const place = `${base}/${path}`
	const parent = place.slice(0, place.lastIndexOf('/'))
	yield* makeFolder(pathOf(parent), 0o777)
	if ((yield* lstatIfThere(pathOf(place)))?.isDirectory()) {
		yield* rename(pathOf(place), `${base}/${repairing.bad(partial, number)}`)
	}
	if (isLinked) {
		yield* removeTree(name)
		yield* link(draft, name)
		yield* rename(name, pathOf(place))
	} else yield* rename(draft, pathOf(place))
	yield* flushFolder(parent)
	yield* removeTree(`${base}/${repairing.bad(partial, number)}`)
}
