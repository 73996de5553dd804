import { parseComponent } from '../cassandra/sstable.ts'
import { readWhole } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, readdir } from '../files/operations.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'

/** An SSTable that a table has on the node, by its Data.db. */
export interface LiveSSTable {
	/** Absolute, up to the component's name: `…/da-1-bti-`. */
	prefix: string
	ino: bigint
	size: number
	mtimeNs: bigint
}

/**
 * A table's folders on the node, over all data directories: `<name>-<32 hex>`, or `<name>` as before Cassandra 2.1. Those
 * of a dropped table too, which hold no SSTable any more.
 */
export function* tableFolders(dataDirectories: string[], keyspace: string, name: string): Io<string[]> {
	const folders: string[] = []
	for (const directory of dataDirectories) {
		for (const folder of yield* namesIn(`${directory}/${keyspace}`)) {
			if (folder === name || (folder.startsWith(`${name}-`) && /^[0-9a-f]{32}$/.test(folder.slice(name.length + 1)))) {
				folders.push(`${directory}/${keyspace}/${folder}`)
			}
		}
	}
	return folders
}

/** The SSTables in a table's folders, those of its secondary indexes aside. */
export function* liveSSTables(folders: string[]): Io<LiveSSTable[]> {
	const found: LiveSSTable[] = []
	for (const folder of folders) {
		for (const name of yield* namesIn(folder)) {
			const component = parseComponent(name)
			if (component?.component !== 'Data.db') continue
			const data = yield* lstatIfThere(pathOf(`${folder}/${name}`))
			if (!data?.isFile()) continue
			const { ino, size, mtimeNs } = data
			found.push({ prefix: `${folder}/${component.prefix}`, ino, size: Number(size), mtimeNs })
		}
	}
	return found
}

/** A file's time is set to within this; another SSTable of the same bytes and the same µs is the same for any reader. */
const MTIME_NS_MAX = 10_000n

/**
 * The Data.db files of a receipt, of the base table alone, that the table has not: an SSTable of other name counts as the
 * same where the size and time of its Data.db and its Digest.crc32 say so.
 */
export function* missingData(receipt: Receipt, live: LiveSSTable[]): Io<ReceiptFile[]> {
	const missing: ReceiptFile[] = []
	for (const file of receipt.files) {
		if (file.path.includes('/') || parseComponent(file.path)?.component !== 'Data.db') continue
		let isLive = false
		for (const one of live.filter((each) => isAlike(each, file))) {
			isLive ||= (yield* digestOf(one)) === Number.parseInt(file.crc32, 16)
		}
		if (!isLive) missing.push(file)
	}
	return missing
}

function isAlike({ size, mtimeNs }: LiveSSTable, file: ReceiptFile): boolean {
	const difference = mtimeNs - BigInt(file.mtimeNs)
	return size === file.size && difference < MTIME_NS_MAX && difference > -MTIME_NS_MAX
}

function* digestOf({ prefix }: LiveSSTable): Io<number | undefined> {
	try {
		return Number((yield* readWhole(pathOf(`${prefix}Digest.crc32`), 64)).toString('latin1'))
	} catch (error) {
		if (hasCode(error) || error instanceof RangeError) return undefined
		throw error
	}
}

/** The names in a folder; none where it is not there. */
export function* namesIn(folder: string): Io<string[]> {
	try {
		return yield* readdir(pathOf(folder))
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
		throw error
	}
}
