import { listSnapshot } from '../cassandra/list-snapshot.ts'
import { isSettled } from '../cassandra/settled.ts'
import { difference, type SnapshotFile, type SnapshotListing, youngestChangeNs } from '../cassandra/snapshot.ts'
import { mayBeRewritten } from '../cassandra/sstable.ts'
import { createFile, READ } from '../files/contents.ts'
import { FOLDER, flushOpened } from '../files/folders.ts'
import { each, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { fsync, withOpen } from '../files/operations.ts'
import { gathering, receiptPath, type SnapshotKey, snapshotFolder } from '../haven/layout.ts'
import { makePlaces } from '../haven/places.ts'
import { type PieceRead, readPieces } from '../haven/read-pieces.ts'
import { writeReceipt } from '../haven/receipt.ts'
import { there } from '../haven/renames.ts'
import { onHaven } from '../haven/trouble.ts'
import { incomplete } from './check-contents.ts'
import { draftReceipt } from './draft.ts'
import { findDamage, isProof } from './proof.ts'
import type { FileDamage, SealState } from './types.ts'

/** A folder in the mirror that no receipt knows, and what it takes to give it one. */
export interface AdoptionOrder {
	base: string
	/** `.snaphaven/partial/<token>`. */
	partial: string
	number: number
	key: SnapshotKey
	/** The node's data directories, in which the snapshot may still be. */
	dataDirectories: string[]
	settleMs: number
	/** How finely the haven's file system keeps times, in ns. */
	grainNs: number
}

/** What came of it; `adopted` once the receipt that is beside by now stands in its place. */
export type AdoptionAnswer =
	| { answer: 'adopted'; state: SealState; damage: FileDamage[]; files: number; bytes: number; onNode: boolean }
	| { answer: 'known' }
	/** `damaged`: it will never be whole. */
	| { answer: 'refused'; reason: string; damaged: boolean }

/**
 * Reads every byte of a snapshot that something else has copied into the mirror, holds it against manifest, digests and,
 * where that still has it, the node, and drafts its receipt beside. Nothing in the mirror is changed.
 */
export function* draftAdoption(order: AdoptionOrder): Io<AdoptionAnswer> {
	const { base, key, dataDirectories } = order
	if (yield* onHaven(there(base, receiptPath(key)))) return { answer: 'known' }
	const copy = yield* onHaven(listCopy(order))
	const listing = copy && 'listing' in copy ? copy.listing : undefined
	if (!listing || !copy || 'refused' in copy) return copy && 'refused' in copy ? copy.refused : GONE
	const reads = yield* onHaven(readCopy(order, listing))
	const unread = reads.findIndex((read) => 'code' in read)
	if (unread !== -1)
		return refused(`${listing.files[unread]?.path} can’t be read (${JSON.stringify(reads[unread])})`, true)
	const node = yield* listSnapshot({ ...key, dataDirectories }, key.tag)
	const other = node && (yield* differenceFrom(order, node, listing, reads))
	if (other) return refused(`the node has that snapshot still, and ${other}: the next pass mirrors it anew`, false)
	return yield* judge(order, { listing, node, proof: copy.proof }, reads)
}

const GONE: AdoptionAnswer = { answer: 'refused', reason: 'it is gone', damaged: false }

function refused(reason: string, damaged: boolean): AdoptionAnswer {
	return { answer: 'refused', reason, damaged }
}

type CopyFound = { listing: SnapshotListing; proof: 'manifest' | 'quiet' } | { refused: AdoptionAnswer }

/** The mirror has the form of a data directory: it is looked at as one. */
function* listCopy({ base, key, settleMs }: AdoptionOrder): Io<CopyFound | undefined> {
	const listing = yield* listSnapshot({ ...key, dataDirectories: [`${base}/data`] }, key.tag)
	if (!listing) return undefined
	const { keyspace, tag } = key
	const verdict = isSettled({ keyspace, tag, before: listing, after: listing, nowMs: Date.now(), settleMs })
	if (verdict.verdict === 'settled') return { listing, proof: verdict.proof }
	// Somebody may be copying it just now.
	const isOld = Date.now() - Number(youngestChangeNs(listing) / 1_000_000n) > settleMs
	if (verdict.verdict === 'waiting' && isOld) return { refused: refused(verdict.reason.replace(/ yet$/, ''), true) }
	return { refused: refused(verdict.reason, verdict.verdict === 'broken') }
}

const FILES_IN_FLIGHT = 4

/** Flushes each file as well: who copied it may not have, or may have been told of a lost write. */
function* readCopy({ base, key }: AdoptionOrder, { files, folders }: SnapshotListing): Io<PieceRead[]> {
	const folder = snapshotFolder(key)
	const pieces = files.map(({ path, size }) => ({
		...{ path: `${folder}/${path}`, offset: 0, length: size },
		...{ isLast: true, text: isProof(path) },
	}))
	const reads = yield* readPieces(base, pieces, FILES_IN_FLIGHT)
	yield* each(pieces, FILES_IN_FLIGHT, ({ path }) => withOpen(pathOf(`${base}/${path}`), READ, fsync))
	for (const { path } of folders) yield* withOpen(pathOf(`${base}/${folder}/${path}`), FOLDER, flushOpened)
	return reads
}

interface Copied {
	listing: SnapshotListing
	/** The snapshot on the node, which is the same. */
	node: SnapshotListing | undefined
	proof: 'manifest' | 'quiet'
}

function* judge(order: AdoptionOrder, { listing, node, proof }: Copied, reads: PieceRead[]): Io<AdoptionAnswer> {
	const { base, key, partial, number } = order
	const files = listing.files.map(({ path }, index) => {
		const { crc, text } = reads[index] as Exclude<PieceRead, { code: string }>
		return { path, crc, text }
	})
	const missing = incomplete(files)
	if (missing && 'reason' in missing.verdict) return refused(missing.verdict.reason, true)
	const after = yield* onHaven(listCopy(order))
	const changed = after && 'listing' in after ? difference(listing, after.listing) : 'it is gone'
	if (changed) return refused(`${changed} since it was read`, false)
	const damage = findDamage(files)
	const [first] = damage
	if (first && node)
		return refused(`${first.path}: ${first.reason}; the node has it: the next pass mirrors it anew`, true)
	const onNode = new Map(node?.files.map((file) => [file.path, file]))
	const { receipt } = draftReceipt({
		order: { location: { ...key, dataDirectories: [] }, tag: key.tag, partial, number, move: false },
		listing: node ?? listing,
		transfers: listing.files.map((file) => ({ file: sameOn(onNode, file), how: 'copied' })),
		results: files.map(({ crc }) => ({ crc, how: 'copied' })),
		...{ damage, proof },
	})
	const text = writeReceipt({
		...receipt,
		files: receipt.files.map((file) => ({ ...file, how: 'adopted' })),
		// Of nothing on the node: were it to turn up there, it would be another.
		source: node ? receipt.source : { folders: [], files: [] },
		notes: [...receipt.notes, 'adopted: it was copied by something else than snaphaven'],
	})
	const draft = { mode: 0o644, flush: true }
	yield* onHaven(createFile(`${base}/${gathering.receipt(partial, number)}`, text, draft))
	// They are flushed before the receipt comes into them.
	yield* onHaven(makePlaces(base, key))
	const { state, fileCount, byteCount } = receipt
	return { answer: 'adopted', state, damage, files: fileCount, bytes: byteCount, onNode: node !== undefined }
}

/** What Cassandra rewrites may have been rewritten since: then the copy's own description holds. */
function sameOn(onNode: ReadonlyMap<string, SnapshotFile>, file: SnapshotFile): SnapshotFile {
	const there = onNode.get(file.path)
	return there && there.size === file.size ? there : file
}

/** Node sets times to within a microsecond, and so do other programs. */
const GRAIN_NS_MIN = 1000

/**
 * In what the copy is not the snapshot that the node has: names, sizes, and bytes of what has another time. What Cassandra
 * rewrites may differ.
 */
function* differenceFrom(
	order: AdoptionOrder,
	node: SnapshotListing,
	{ files }: SnapshotListing,
	reads: PieceRead[],
): Io<string | undefined> {
	const { key } = order
	const grainNs = BigInt(Math.max(order.grainNs, GRAIN_NS_MIN))
	const copies = new Map(files.map((file, index) => [file.path, { file, read: reads[index] }]))
	const extra = [...copies.keys()].find((path) => !node.files.some((file) => file.path === path))
	if (extra !== undefined) return `it lacks ${extra}`
	for (const file of node.files) {
		const copy = copies.get(file.path)
		if (!copy) return `the copy lacks ${file.path}`
		if (mayBeRewritten(file.path)) continue
		if (copy.file.size !== file.size) return `${file.path} has ${copy.file.size} bytes, not ${file.size}`
		const apart = copy.file.mtimeNs - file.mtimeNs
		if (apart <= grainNs && apart >= -grainNs) continue
		const folder = `${node.dataDirectories[file.directory]}/${key.keyspace}/${key.table}/snapshots/${key.tag}`
		if (!(yield* hasSameBytes(`${folder}/${file.path}`, file, copy.read))) return `${file.path} has other bytes`
	}
	return undefined
}

function* hasSameBytes(path: string, { size }: SnapshotFile, read: PieceRead | undefined): Io<boolean> {
	const [own] = yield* readPieces('', [{ path, offset: 0, length: size, isLast: true, text: false }], 1)
	return own !== undefined && read !== undefined && 'crc' in own && 'crc' in read && own.crc === read.crc
}
