import { parseComponent } from '../cassandra/sstable.ts'
import { FOLDER, namesIn } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, type Stat, withOpen } from '../files/operations.ts'
import { readDoubts } from './doubt.ts'
import { receiptsFolder, type SnapshotKey, snapshotFolder } from './layout.ts'
import { readHeads } from './read-heads.ts'
import { readPieces } from './read-pieces.ts'
import { readSealed } from './read-sealed.ts'
import type { ReceiptFile } from './receipt.ts'
import { hex } from './sealed-text.ts'

/** A copy of the same bytes, read to its end and found good. */
export interface GoodCopy {
	where: 'haven' | 'node'
	/** In the haven relative to it, on the node absolute. */
	path: string
}

/** A damaged file of a snapshot: good copies of it are looked for. */
export interface WantedCopy {
	key: SnapshotKey
	path: string
}

/**
 * Finds good copies of damaged files of one table: in other sealed snapshots whose receipts have the same name, size,
 * time and CRC-32, and on the node, live or in its snapshots. Each is read to its end and compared, and at most one of
 * the haven and one of the node is given for each.
 */
export function* findGoodCopies(base: string, wanted: WantedCopy[], dataDirectories: string[]): Io<GoodCopy[][]> {
	const found: GoodCopy[][] = wanted.map(() => [])
	const files = yield* wantedFiles(base, wanted)
	const first = wanted[0]
	if (!first) return found
	for (const key of yield* othersOf(base, first.key)) {
		const read = yield* readSealed(base, key)
		if (!('receipt' in read)) continue
		const byPath = new Map(read.receipt.files.map((file) => [file.path, file]))
		for (const [index, file] of files.entries()) {
			const other = file && byPath.get(file.file.path)
			if (!other || !isSameFile(file.file, other) || found[index]?.length) continue
			const path = `${snapshotFolder(key)}/${other.path}`
			if (yield* isGood(base, path, file)) found[index]?.push({ where: 'haven', path })
		}
	}
	for (const [index, file] of files.entries()) {
		const path = file && (yield* findOnNode(wanted[index]?.key ?? first.key, file, dataDirectories))
		if (path !== undefined) found[index]?.push({ where: 'node', path })
	}
	return found
}

interface WantedFile {
	file: ReceiptFile
	/** The damaged copy's own: another name of it is no other copy. */
	identity: string | undefined
}

function* wantedFiles(base: string, wanted: WantedCopy[]): Io<(WantedFile | undefined)[]> {
	const files: (WantedFile | undefined)[] = []
	const receipts = new Map<string, Map<string, ReceiptFile>>()
	for (const { key, path } of wanted) {
		let known = receipts.get(key.tag)
		if (!known) {
			const read = yield* readSealed(base, key)
			known = new Map('receipt' in read ? read.receipt.files.map((file) => [file.path, file]) : [])
			receipts.set(key.tag, known)
		}
		const file = known.get(path)
		const stat = yield* look(`${base}/${snapshotFolder(key)}/${path}`)
		files.push(file && { file, identity: stat && identityOf(stat) })
	}
	return files
}

/** All sealed snapshots of the table. */
function* othersOf(base: string, { keyspace, table }: SnapshotKey): Io<SnapshotKey[]> {
	const folder = receiptsFolder({ keyspace, table })
	const names = yield* listed(`${base}/${folder}`)
	const reads = yield* readHeads(
		base,
		names.filter((name) => name.endsWith('.json')).map((name) => `${folder}/${name}`),
		HEADS_IN_FLIGHT,
	)
	const doubts = new Set((yield* readDoubts(base)).map((key) => `${key.keyspace}/${key.table}/${key.tag}`))
	return reads
		.flatMap((read) => (read && 'head' in read ? [read.head] : []))
		.filter((head) => !doubts.has(`${head.keyspace}/${head.table}/${head.tag}`))
}

const HEADS_IN_FLIGHT = 16

/** SSTables' files are the same by name, size and time; what each snapshot has of its own, by its bytes alone. */
function isSameFile(one: ReceiptFile, other: ReceiptFile): boolean {
	if (one.size !== other.size || one.crc32 !== other.crc32) return false
	return one.mtimeNs === other.mtimeNs || parseComponent(one.path) === undefined
}

function* findOnNode(
	{ keyspace, table }: SnapshotKey,
	wanted: WantedFile,
	dataDirectories: string[],
): Io<string | undefined> {
	for (const dataDirectory of dataDirectories) {
		const folder = `${dataDirectory}/${keyspace}/${table}`
		const tags = yield* listed(`${folder}/snapshots`)
		for (const inner of ['', ...tags.map((tag) => `snapshots/${tag}/`)]) {
			const path = `${folder}/${inner}${wanted.file.path}`
			const stat = yield* look(path)
			const isSame = stat?.mtimeNs === BigInt(wanted.file.mtimeNs) || parseComponent(wanted.file.path) === undefined
			if (isSame && (yield* isGood('', path, wanted))) return path
		}
	}
	return undefined
}

/** Whether it is another file than the damaged one, and has the bytes that the receipt says. */
function* isGood(base: string, path: string, { file, identity }: WantedFile): Io<boolean> {
	const stat = yield* look(path.startsWith('/') ? path : `${base}/${path}`)
	if (!stat?.isFile() || identityOf(stat) === identity || stat.size !== BigInt(file.size)) return false
	const piece = { path, offset: 0, length: file.size, isLast: true, text: false }
	const [read] = yield* readPieces(base, [piece], 1)
	return read !== undefined && 'crc' in read && read.length === file.size && hex(read.crc) === file.crc32
}

function identityOf({ dev, ino }: Stat): string {
	return `${dev}:${ino}`
}

function* look(path: string): Io<Stat | undefined> {
	try {
		return yield* lstatIfThere(pathOf(path))
	} catch (error) {
		if (hasCode(error)) return undefined
		throw error
	}
}

function* listed(folder: string): Io<string[]> {
	try {
		return yield* withOpen(pathOf(folder), FOLDER, namesIn)
	} catch (error) {
		if (hasCode(error)) return []
		throw error
	}
}
