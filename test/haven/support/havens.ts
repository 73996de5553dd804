import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import { runSync } from '../../../src/files/io.ts'
import {
	gathering,
	PARTIAL,
	RECEIPTS,
	receiptPath,
	SET_ASIDE,
	type SnapshotKey,
	snapshotFolder,
} from '../../../src/haven/layout.ts'
import { makePlaces } from '../../../src/haven/places.ts'
import { type Publication, writeIntent } from '../../../src/haven/publish.ts'
import { type Receipt, type ReceiptFile, readReceipt, writeReceipt } from '../../../src/haven/receipt.ts'
import { checksumOf, hex } from '../../../src/haven/sealed-text.ts'
import { ownFolder } from '../../support/folder.ts'

export const key: SnapshotKey = { keyspace: 'ks', table: 'orders-0123', tag: 'A daily:1' }
/** What a holder works in. */
export const partial = `${PARTIAL}/token`

/** The files of a snapshot: their bytes by their paths. */
export type Contents = Record<string, string>

export const older: Contents = { 'nb-1-big-Data.db': 'older data', 'manifest.json': '{"files":[]}', '.idx/a': 'index' }
export const newer: Contents = { 'nb-2-big-Data.db': 'newer data!', 'manifest.json': '{"files":[2]}' }

/** An empty haven's folders; its path. */
export function makeHaven(t: ExecutionContext): string {
	const base = ownFolder(t)
	for (const folder of [PARTIAL, RECEIPTS, partial]) mkdirSync(join(base, folder), { recursive: true })
	runSync(makePlaces(base, key))
	return base
}

/** A receipt that is true for these files. */
export function receiptFor(contents: Contents, changes: Partial<Receipt> = {}): Receipt {
	const files = Object.entries(contents).map(
		([path, text]): ReceiptFile => ({
			path,
			size: Buffer.byteLength(text),
			mtimeNs: '1700000000123456789',
			mode: 0o644,
			uid: 0,
			gid: 0,
			ino: '1',
			crc32: hex(crc32(text)),
			readAt: '2026-11-21T08:00:00.000Z',
			how: 'copied',
		}),
	)
	return {
		format: 1,
		...key,
		state: 'whole',
		id: 'id',
		sealedAt: '2026-11-21T08:00:00.000Z',
		takenAt: '2026-11-21T07:59:00.000Z',
		snaphaven: '0.1.0',
		sstableVersions: ['nb'],
		fileCount: files.length,
		byteCount: files.reduce((sum, { size }) => sum + size, 0),
		notes: [],
		source: { folders: [], files: [] },
		folders: [],
		files,
		...changes,
	}
}

/** Puts a sealed snapshot into a haven, as an earlier run left it. */
export function seal(base: string, contents: Contents, changes: Partial<Receipt> = {}): void {
	write(join(base, snapshotFolder(key)), contents)
	writeFileSync(join(base, receiptPath(key)), writeReceipt(receiptFor(contents, changes)))
}

/** Gathers a snapshot, with its receipt and its intent. */
export function gather(base: string, contents: Contents): Publication {
	const text = writeReceipt(receiptFor(contents))
	write(join(base, gathering.folder(partial, 0)), contents)
	writeFileSync(join(base, gathering.receipt(partial, 0)), text)
	const publication = { number: 0, key, receiptChecksum: checksumOf(text) }
	runSync(writeIntent(base, gathering.intent(partial, 0), [publication], false))
	return publication
}

export function write(folder: string, contents: Contents): void {
	mkdirSync(folder, { recursive: true })
	for (const [path, text] of Object.entries(contents)) {
		mkdirSync(dirname(join(folder, path)), { recursive: true })
		writeFileSync(join(folder, path), text)
	}
}

/** All files below a folder; undefined where it is not there. */
export function read(folder: string): Contents | undefined {
	if (!existsSync(folder)) return undefined
	const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
	return Object.fromEntries(
		files
			.map((entry) => join(entry.parentPath, entry.name))
			.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
	)
}

/** What a reader finds of the snapshot: its folder, and what its receipt says of it. */
export function visible(base: string): { copy: Contents | undefined; receipt: Receipt | undefined } {
	const path = join(base, receiptPath(key))
	return {
		copy: read(join(base, snapshotFolder(key))),
		receipt: existsSync(path) ? readReceipt(readFileSync(path)) : undefined,
	}
}

/** Every folder that was set aside. */
export function aside(base: string): Contents[] {
	const folder = join(base, SET_ASIDE, 'ks', 'orders-0123')
	return existsSync(folder) ? readdirSync(folder).map((name) => read(join(folder, name)) ?? {}) : []
}
