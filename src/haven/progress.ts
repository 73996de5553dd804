import { constants } from '../files/builtins.ts'
import { readWhole, writeFully } from '../files/contents.ts'
import type { Io } from '../files/io.ts'
import { readdir, withOpen } from '../files/operations.ts'
import { gathering, type SnapshotKey } from './layout.ts'
import { parseAs } from './sealed-text.ts'
import { decimal, fields, inside, natural, optional, type Shape, snapshotKey, text } from './shapes.ts'

/** A piece of a large snapshot that is durable in the gathering folder, and of which file on the node it is. */
export interface DonePiece {
	path: string
	size: number
	mtimeNs: string
	ino: string
	offset: number
	length: number
	crc: number
	/** The contents of Digest.crc32 or TOC.txt. */
	text?: string
}

/** What an earlier holder had gathered of a snapshot when it was stopped. */
export interface Inherited {
	key: SnapshotKey
	/** Its gathering folder, relative to the haven. */
	folder: string
	pieces: DonePiece[]
}

const PROGRESS_BYTES_MAX = 2 ** 30

/** Notes down pieces that were flushed before: a line each, the snapshot's key on the first. A torn line is passed over. */
export function* appendProgress(
	base: string,
	{ partial, number, key }: { partial: string; number: number; key: SnapshotKey },
	pieces: DonePiece[],
): Io<void> {
	const { O_WRONLY, O_APPEND, O_CREAT } = constants
	const path = `${base}/${gathering.progress(partial, number)}`
	const text = [key, ...pieces].map((line) => `${JSON.stringify(line)}\n`).join('')
	const bytes = Buffer.from(text)
	yield* withOpen(path, O_WRONLY | O_APPEND | O_CREAT, (fd) => writeFully(fd, bytes, bytes.length, null), 0o644)
}

/** Finds what an earlier holder noted down in its folder. */
export function* findProgress(base: string, partial: string): Io<Inherited[]> {
	const found: Inherited[] = []
	for (const name of yield* readdir(`${base}/${partial}`)) {
		const number = /^(\d+)\.progress$/.exec(name)?.[1]
		if (number === undefined) continue
		const text = (yield* readWhole(`${base}/${partial}/${name}`, PROGRESS_BYTES_MAX)).toString('utf8')
		const inherited = readProgress(text, gathering.folder(partial, Number(number)))
		if (inherited) found.push(inherited)
	}
	return found
}

const isPiece = fields({
	path: inside,
	size: natural,
	mtimeNs: decimal,
	ino: decimal,
	offset: natural,
	length: natural,
	crc: natural,
	text: optional(text),
})
const isLine: Shape = (value) => snapshotKey(value) || isPiece(value)

/** Understands what can be understood of such a text; undefined where not even the key is whole. */
function readProgress(text: string, folder: string): Inherited | undefined {
	let key: SnapshotKey | undefined
	const pieces: DonePiece[] = []
	// What stands behind the last line break was torn.
	for (const line of text.split('\n').slice(0, -1)) {
		const json = parseAs<SnapshotKey | DonePiece>(line, isLine)
		if (json === undefined) continue
		if ('tag' in json) key = json
		else pieces.push(json)
	}
	return key && { key, folder, pieces }
}
