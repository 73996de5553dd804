import type { ParentIdentities } from '../cassandra/folder-identity.ts'
import { checkedRecord, checkedText, parseAs, withChecksum, withoutChecksum } from './sealed-text.ts'
import {
	crc,
	decimal,
	fields,
	inside,
	keyFields,
	list,
	moment,
	natural,
	oneOf,
	optional,
	type Shape,
	text,
	tuple,
} from './shapes.ts'

/** The format of receipts, intents and haven.json that this version writes, and the newest it reads. */
export const FORMAT = 1

/** How a transfer brings a file into the haven. */
export type Origin = 'copied' | 'hardlinked' | 'reflinked' | 'reused'

/** A file of a sealed snapshot. */
export interface ReceiptFile {
	/** Within the snapshot's folder; bytes that are no UTF-8 as lone surrogates (PEP 383). */
	path: string
	size: number
	/** The node's modification time, ns since the epoch, decimal. */
	mtimeNs: string
	/** Permission bits. */
	mode: number
	uid: number
	gid: number
	/** The node's inode, decimal: whether the source is still that very file. */
	ino: string
	/** CRC-32 of the bytes, eight lower-case hex digits. */
	crc32: string
	/** When the bytes were last read, ISO 8601; a reused file's are as old as the receipt it was reused from says. */
	readAt: string
	how: Origin | 'adopted'
	/** `reused`: the tag that it came to the haven with; of the first receipts, the one whose copy it shares. */
	from?: string
	/** The node's own word on these bytes disagrees with them: in what. */
	damage?: string
}

/** A folder inside a sealed snapshot, such as a secondary index's. */
export interface ReceiptFolder {
	path: string
	mode: number
	uid: number
	gid: number
}

/** What a look must find for "nothing has changed since": the identity of folders and of the two files written last. */
export interface SourceIdentity {
	/** Each folder of the snapshot, in each data directory: path `''` is the tag's own. */
	folders: { dataDirectory: string; path: string; ino: string; mtimeNs: string }[]
	/** manifest.json and schema.cql, where they were there. */
	files: { path: string; dataDirectory: string; ino: string; size: number; mtimeNs: string }[]
	/** What it lay in, in each data directory. The first receipts lack it. */
	parents?: ({ dataDirectory: string } & ParentIdentities)[]
}

/** All of a receipt but its files. */
export interface ReceiptHead {
	format: typeof FORMAT
	keyspace: string
	table: string
	tag: string
	/** `whole`; `damaged` (at the source); `unproven` (no complete manifest proved that Cassandra had finished). */
	state: 'whole' | 'damaged' | 'unproven'
	/** Distinguishes this seal from any other in the haven: the lease's token and a number. */
	id: string
	/** ISO 8601. */
	sealedAt: string
	/** When the snapshot was taken: the manifest's created_at, else the latest time of its tag folders; ISO 8601. */
	takenAt: string
	/** When Cassandra was to delete it itself. */
	expiresAt?: string
	/**
	 * snaphaven itself deletes the snapshot on the node, or has done so. Durable before the first of its files is deleted
	 * there: a snapshot that is gone from the node and has no such mark was cleared by somebody else.
	 */
	moving?: true
	/** The version of snaphaven that sealed it. */
	snaphaven: string
	/** The versions of its SSTables: `["nb"]`. */
	sstableVersions: string[]
	/** Number of files and their bytes. */
	fileCount: number
	byteCount: number
	/** Of these, the bytes of files that were reused: shared with an earlier snapshot. The first receipts lack it. */
	reusedByteCount?: number
	/** The same by the tags that these files came to the haven with, which may be gone by now. Not there where none was. */
	reusedFrom?: [tag: string, bytes: number][]
	/** What a reader should know: links that were left out, several manifests made one. */
	notes: string[]
	source: SourceIdentity
}

/** The record that a seal leaves. */
export interface Receipt extends ReceiptHead {
	folders: ReceiptFolder[]
	files: ReceiptFile[]
}

const sealedHead = {
	...keyFields,
	state: oneOf('whole', 'damaged', 'unproven'),
	id: text,
	sealedAt: moment,
	takenAt: moment,
	expiresAt: optional(moment),
	moving: optional(oneOf(true)),
	snaphaven: text,
	sstableVersions: list(text),
	fileCount: natural,
	byteCount: natural,
	reusedByteCount: optional(natural),
	reusedFrom: optional(list(tuple(text, natural))),
	notes: list(text),
}

/** The head of a receipt, its `source` aside. */
export const isSealedHead: Shape = fields(sealedHead)

const folderIdentity = fields({ ino: decimal, bornNs: optional(decimal) })
const withinSource: Shape = (value) => value === '' || inside(value)

const head = {
	...sealedHead,
	source: fields({
		folders: list(fields({ dataDirectory: text, path: withinSource, ino: decimal, mtimeNs: decimal })),
		files: list(fields({ dataDirectory: text, path: inside, ino: decimal, size: natural, mtimeNs: decimal })),
		parents: optional(list(fields({ dataDirectory: text, keyspace: folderIdentity, table: folderIdentity }))),
	}),
}
const isHead = fields(head)

const owner = { mode: natural, uid: natural, gid: natural }
const file = fields({
	...owner,
	path: inside,
	size: natural,
	mtimeNs: decimal,
	ino: decimal,
	crc32: crc,
	readAt: moment,
	how: oneOf('copied', 'hardlinked', 'reflinked', 'reused', 'adopted'),
	from: optional(text),
	damage: optional(text),
})
const isReceipt = fields({ ...head, folders: list(fields({ ...owner, path: inside })), files: list(file) })

/** Sums up what was reused, by the tags that it came to the haven with. */
export function reusedFrom(files: readonly ReceiptFile[]): [tag: string, bytes: number][] {
	const sums = new Map<string, number>()
	for (const { how, from = '', size } of files) if (how === 'reused') sums.set(from, (sums.get(from) ?? 0) + size)
	return [...sums]
}

/** The receipt's text: the head on the first line, each file on a line of its own, the checksum on the last. */
export function writeReceipt({ folders, files, ...head }: Receipt): string {
	const lines = files.map((file) => JSON.stringify(file)).join(',\n')
	return withChecksum(
		`${JSON.stringify(head).slice(0, -1)},\n"folders":${JSON.stringify(folders)},\n"files":[\n${lines}\n]}`,
	)
}

/**
 * Reads a receipt; undefined where its checksum does not hold, or it is none: each number, time and path in it can be
 * used as such, and no path leads out of its folder.
 */
export function readReceipt(bytes: Buffer): Receipt | undefined {
	return checkedRecord<Receipt>(bytes, isReceipt)
}

/** Reads a receipt's head alone, without parsing its files; undefined where the checksum does not hold. */
export function readReceiptHead(bytes: Buffer): ReceiptHead | undefined {
	const text = checkedText(bytes)
	return text === undefined ? undefined : headOf(text)
}

/** Why there is no receipt in these bytes. */
export function whyNoReceipt(bytes: Buffer): string {
	if (checkedText(bytes) === undefined) return 'its checksum does not hold'
	return 'it says what none can say, such as a path that leads out of the snapshot’s folder'
}

/** A receipt's text with the mark `moving`, all else as it is, and its `id`; undefined where the checksum does not hold. */
export function markMoving(bytes: Buffer): { id: string; text: string } | undefined {
	const text = checkedText(bytes)
	if (text === undefined) return undefined
	const known = headOf(text)
	if (known === undefined) return undefined
	const head: ReceiptHead = { ...known, moving: true }
	const rest = withoutChecksum(text).slice(text.indexOf('\n'))
	return { id: head.id, text: withChecksum(`${JSON.stringify(head).slice(0, -1)},${rest}`) }
}

function headOf(text: string): ReceiptHead | undefined {
	return parseAs<ReceiptHead>(`${text.slice(0, text.indexOf('\n') - 1)}}`, isHead)
}
