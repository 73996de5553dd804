import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { uniqueName } from '../files/builtins.ts'
import { hasCode } from '../files/io.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { ReceiptFolder } from '../haven/receipt-folders.ts'

/** What a node remembers of a haven's receipts, so that they need not all be opened again; it may be lost at any time. */
export interface HeadCache {
	/** The heads of a folder that has not changed since. */
	get: (folder: ReceiptFolder) => SealedHead[] | undefined
	set: (folder: ReceiptFolder, heads: SealedHead[]) => void
	/** Writes it, where anything is new; what hinders that is no matter. */
	save: () => Promise<void>
}

/** Opens what this node remembers of the receipts of the haven with this id; nothing where it can't be understood. */
export async function openHeadCache(stateDirectory: string, havenId: string): Promise<HeadCache> {
	const path = `${stateDirectory}/receipts-${havenId.replace(/[^\w-]/g, '_')}.json`
	const stored = await readStored(path)
	const kept: Record<string, StoredTable> = {}
	const commons = [...stored.commons]
	const numbers = new Map(commons.map((common, index) => [common, index]))
	const numberOf = (common: string) => {
		const known = numbers.get(common)
		if (known !== undefined) return known
		numbers.set(common, commons.push(common) - 1)
		return commons.length - 1
	}
	const parsed: Partial<SealedHead>[] = []
	const commonOf = (index: number) => (parsed[index] ??= JSON.parse(commons[index] ?? '{}'))
	let isNew = false
	return {
		get: ({ path: folder, identity }) => {
			const table = stored.tables[folder]
			if (table?.identity !== identity) return undefined
			kept[folder] = table
			return table.heads.map((row) => unpack(row, commonOf(row[0])))
		},
		set: ({ path: folder, identity }, heads) => {
			kept[folder] = { identity, heads: heads.map((head) => pack(head, numberOf)) }
			isNew = true
		},
		save: async () => {
			if (!isNew) return
			await write(path, { version: VERSION, commons, tables: { ...stored.tables, ...kept } }).catch(ignored)
		},
	}
}

/** Raised with each change of what stands in the file. */
const VERSION = 2

interface Stored {
	version: number
	/** What many heads have alike, as JSON. */
	commons: string[]
	/** By the folder's path in the haven. */
	tables: Record<string, StoredTable>
}

interface StoredTable {
	identity: string
	heads: Row[]
}

type Row = [
	common: number,
	tag: string,
	id: string,
	sealedAt: string,
	takenAt: string,
	fileCount: number,
	byteCount: number,
	reusedByteCount: number | null,
	reusedFrom?: SealedHead['reusedFrom'],
]

function pack(head: SealedHead, numberOf: (common: string) => number): Row {
	const { tag, id, sealedAt, takenAt, fileCount, byteCount, reusedByteCount = null, reusedFrom, ...common } = head
	const number = numberOf(JSON.stringify(common))
	const row: Row = [number, tag, id, sealedAt, takenAt, fileCount, byteCount, reusedByteCount]
	if (reusedFrom !== undefined) row[8] = reusedFrom
	return row
}

function unpack(
	[, tag, id, sealedAt, takenAt, fileCount, byteCount, reused, reusedFrom]: Row,
	common: Partial<SealedHead>,
): SealedHead {
	const head = { ...common, tag, id, sealedAt, takenAt, fileCount, byteCount } as SealedHead
	if (reused !== null) head.reusedByteCount = reused
	if (reusedFrom !== undefined) head.reusedFrom = reusedFrom
	return head
}

async function readStored(path: string): Promise<Stored> {
	try {
		const stored: Stored = JSON.parse(await readFile(path, 'utf8'))
		if (stored.version === VERSION) return stored
	} catch (error) {
		if (!(error instanceof SyntaxError || hasCode(error))) throw error
	}
	return { version: VERSION, commons: [], tables: {} }
}

async function write(path: string, stored: Stored): Promise<void> {
	const draft = `${path}-${uniqueName()}`
	await mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true })
	try {
		await writeFile(draft, JSON.stringify(stored))
		await rename(draft, path)
	} finally {
		await rm(draft, { force: true })
	}
}

function ignored(error: unknown): void {
	if (!hasCode(error)) throw error
}
