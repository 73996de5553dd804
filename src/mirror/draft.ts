import { MANIFEST, SCHEMA, type SnapshotFile, type SnapshotListing } from '../cassandra/snapshot.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { PARTIAL } from '../haven/layout.ts'
import type { Publication } from '../haven/publish.ts'
import {
	FORMAT,
	type Origin,
	type Receipt,
	type ReceiptFile,
	type ReceiptFolder,
	reusedFrom,
	type SourceIdentity,
	writeReceipt,
} from '../haven/receipt.ts'
import { checksumOf, hex } from '../haven/sealed-text.ts'
import { version } from '../version.ts'
import type { GatherOrder } from './gather-order.ts'
import { amountsOf, type Transfer } from './plan.ts'
import type { PieceResult } from './transfer-file.ts'
import type { FileDamage, SealState, TransferAmounts } from './types.ts'

/** All that is known of a gathered snapshot. */
export interface Draft {
	order: Pick<GatherOrder, 'location' | 'tag' | 'partial' | 'number' | 'move'>
	/** The second look's. */
	listing: SnapshotListing
	transfers: Transfer[]
	/** One for each transfer. */
	results: PieceResult[]
	damage: FileDamage[]
	proof: 'manifest' | 'quiet'
}

/** Makes the receipt that the snapshot will be sealed with. */
export function draftReceipt(draft: Draft): {
	receipt: Receipt
	text: string
	publication: Publication
	amounts: TransferAmounts
} {
	const { order, listing, proof } = draft
	const { keyspace, table } = order.location
	const now = new Date().toISOString()
	const files = receiptFiles(draft, now)
	const manifest = listing.manifest && 'files' in listing.manifest ? listing.manifest : undefined
	const state = stateOf(draft.damage, proof)
	const reused = reusedFrom(files)
	const receipt: Receipt = {
		format: FORMAT,
		keyspace,
		table,
		tag: order.tag,
		state,
		id: `${order.partial.slice(PARTIAL.length + 1)}-${order.number}`,
		sealedAt: now,
		takenAt: manifest?.createdAt ?? latestFolderTime(listing),
		...(manifest?.expiresAt === undefined ? {} : { expiresAt: manifest.expiresAt }),
		...(order.move && state === 'whole' ? { moving: true } : {}),
		snaphaven: version,
		sstableVersions: versionsOf(files),
		fileCount: files.length,
		byteCount: sizeOf(files),
		reusedByteCount: reused.reduce((sum, [, bytes]) => sum + bytes, 0),
		...(reused.length === 0 ? {} : { reusedFrom: reused }),
		notes: notesOf(listing),
		source: identityOf(listing),
		folders: innerFolders(listing),
		files,
	}
	const text = writeReceipt(receipt)
	const publication = {
		number: order.number,
		key: { keyspace, table, tag: order.tag },
		receiptChecksum: checksumOf(text),
	}
	const came = draft.transfers.map(({ file }, index) => ({
		how: (draft.results[index] as PieceResult).how,
		size: file.size,
	}))
	return { receipt, text, publication, amounts: amountsOf(came) }
}

/** The bytes of files. */
export function sizeOf(files: readonly ReceiptFile[]): number {
	return files.reduce((sum, { size }) => sum + size, 0)
}

function stateOf(damage: FileDamage[], proof: 'manifest' | 'quiet'): SealState {
	if (damage.length > 0) return 'damaged'
	return proof === 'manifest' ? 'whole' : 'unproven'
}

function receiptFiles({ transfers, results, damage }: Draft, now: string): ReceiptFile[] {
	const reasons = new Map(damage.map(({ path, reason }) => [path, reason]))
	return transfers.map(({ file, from }, index) => {
		const { crc, how } = results[index] as PieceResult
		return receiptFile({ file, from, crc, how }, now, reasons.get(file.path))
	})
}

/** A receipt's line for a file that has just come. `now`: when its bytes were read, unless it is reused. */
export function receiptFile(
	{ file, from, crc, how }: { file: SnapshotFile; from?: Transfer['from']; crc: number; how: Origin },
	now: string,
	damage: string | undefined,
): ReceiptFile {
	const entry: ReceiptFile = {
		path: file.path,
		size: file.size,
		mtimeNs: String(file.mtimeNs),
		mode: file.mode,
		uid: file.uid,
		gid: file.gid,
		ino: String(file.ino),
		crc32: hex(crc),
		readAt: how === 'reused' && from ? from.known.readAt : now,
		how,
	}
	if (how === 'reused' && from) entry.from = from.known.from ?? from.tag
	if (damage !== undefined) entry.damage = damage
	return entry
}

function latestFolderTime({ folders }: SnapshotListing): string {
	const times = folders.filter(({ path }) => path === '').map(({ mtimeNs }) => Number(mtimeNs / 1_000_000n))
	return new Date(Math.max(...times)).toISOString()
}

/** The versions of the SSTables that files are of, sorted. */
export function versionsOf(files: { path: string }[]): string[] {
	const versions = new Set<string>()
	for (const { path } of files) {
		const name = parseComponent(path)
		if (name) versions.add(name.version)
	}
	return [...versions].sort()
}

function notesOf({ leftOut, merged }: SnapshotListing): string[] {
	return [
		...leftOut.map(({ path, kind }) => `left out: ${path} (${kind})`),
		...[...new Set(merged)].map((path) => `${path} stood in several data directories: the latest is kept`),
	]
}

/** What the next look will compare, to see without a stat of each file that nothing has changed. */
export function identityOf(listing: SnapshotListing): SourceIdentity {
	const { folders, files, superseded, dataDirectories, parents } = listing
	return {
		folders: folders.map(({ directory, path, ino, mtimeNs }) => ({
			dataDirectory: dataDirectories[directory] ?? '',
			path,
			ino: String(ino),
			mtimeNs: String(mtimeNs),
		})),
		files: [...files, ...superseded]
			.filter(({ path }) => path === MANIFEST || path === SCHEMA)
			.map(({ path, directory, ino, size, mtimeNs }) => ({
				path,
				dataDirectory: dataDirectories[directory] ?? '',
				ino: String(ino),
				size,
				mtimeNs: String(mtimeNs),
			})),
		parents: parents.map((one, directory) => ({ dataDirectory: dataDirectories[directory] ?? '', ...one })),
	}
}

function innerFolders({ folders }: SnapshotListing): ReceiptFolder[] {
	const inner = new Map<string, ReceiptFolder>()
	for (const { path, mode, uid, gid } of folders)
		if (path !== '' && !inner.has(path)) inner.set(path, { path, mode, uid, gid })
	return [...inner.values()]
}
