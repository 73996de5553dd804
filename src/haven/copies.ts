import { mayBeRewritten } from '../cassandra/sstable.ts'
import { hasCode, type Io } from '../files/io.ts'
import { decodeName, type Name, pathOf } from '../files/names.ts'
import { lstatIfThere, readdir, readdirBytes, type Stat } from '../files/operations.ts'
import { isBackups, LIVE, type SnapshotKey, snapshotFolder } from './layout.ts'
import { readSealed } from './read-sealed.ts'
import type { ReceiptFile, ReceiptHead } from './receipt.ts'

/** How a copy is not what its receipt says. */
export type DamageKind = 'missing' | 'no file' | 'other size' | 'other bytes' | 'unreadable'

/** A file of a sealed snapshot that is not what its receipt says, as far as a look shows it. */
export interface LookProblem {
	/** Which of the snapshots that were asked for. */
	snapshot: number
	/** Within the snapshot's folder; `''` is the folder itself. */
	path: string
	kind: DamageKind
	reason: string
}

/** What one snapshot says of the bytes of a file. */
export interface Claim {
	snapshot: number
	path: string
	crc32: string
	/** What the node's own word on these bytes was when they were sealed. */
	damage?: string
}

/** A file of the mirror that is to be read: one, however many snapshots share it. */
export interface SharedCopy {
	/** Relative to the haven. */
	path: string
	size: number
	claims: Claim[]
	/** Its time is another than when it was sealed, or can't tell, or was not looked at. */
	isTouched: boolean
}

/** What a look at one snapshot found. */
export interface SnapshotCopies {
	/** Undefined where the receipt can't be believed. */
	id: string | undefined
	state: ReceiptHead['state'] | undefined
	/** Why the receipt can't be believed. */
	problem?: string
	fileCount: number
	/** What stands in its folder and its receipt does not know. */
	extra: string[]
	/** Data directories that it came from. */
	dataDirectories: string[]
}

/** What a look at a table's snapshots found. */
export interface TableCopies {
	/** One for each that was asked for. */
	snapshots: SnapshotCopies[]
	problems: LookProblem[]
	copies: SharedCopy[]
}

/**
 * Looks at the copies of some snapshots of one table: each receipt whole, each file's size, what is missing and what is
 * too much. Reads no copy. `grainNs` is how finely the file system keeps times; undefined where they are no matter.
 */
export function* lookAtCopies(base: string, keys: SnapshotKey[], grainNs: number | undefined): Io<TableCopies> {
	const found: TableCopies = { snapshots: [], problems: [], copies: [] }
	const shared = new Map<bigint, SharedCopy>()
	for (const [snapshot, key] of keys.entries()) {
		const read = yield* readSealed(base, key)
		if (!('receipt' in read)) {
			const nothing = { id: undefined, state: undefined, fileCount: 0, extra: [], dataDirectories: [] }
			found.snapshots.push({ ...nothing, problem: read.problem })
			continue
		}
		const { id, state, files, folders, source } = read.receipt
		const beside = besideOf(key)
		const place = { base, folder: snapshotFolder(key), snapshot, grainNs, found, beside, shared }
		const isThere = yield* lookAtFolder(place, '')
		const extra = isThere
			? yield* lookInside(
					place,
					files,
					folders.map(({ path }) => path),
				)
			: []
		const dataDirectories = [...new Set(source.folders.map(({ dataDirectory }) => dataDirectory))]
		found.snapshots.push({ id, state, fileCount: files.length, extra, dataDirectories })
	}
	return found
}

function besideOf({ tag }: SnapshotKey): Place['beside'] {
	if (isBackups(tag)) return 'all'
	return tag === LIVE ? BESIDE_LIVE : NOTHING
}

/** A live set stands in its table's folder. */
const BESIDE_LIVE: ReadonlySet<string> = new Set(['snapshots', 'backups'])
const NOTHING: ReadonlySet<string> = new Set()

interface Place {
	base: string
	folder: string
	snapshot: number
	grainNs: number | undefined
	found: TableCopies
	/** What stands in the folder and is not of it. */
	beside: ReadonlySet<string> | 'all'
	/** Files with several names, by inode. */
	shared: Map<bigint, SharedCopy>
}

/** Whether a folder of the snapshot is one; what is wrong with it is noted down. */
function* lookAtFolder({ base, folder, snapshot, found }: Place, path: string): Io<boolean> {
	const stat = yield* lstatIfThere(pathOf(`${base}/${folder}${path === '' ? '' : `/${path}`}`))
	if (stat?.isDirectory()) return true
	const problem = stat ? noFile(stat, 'folder') : ({ kind: 'missing', reason: 'its folder is missing' } as const)
	found.problems.push({ snapshot, path, ...problem })
	return false
}

function* lookInside(place: Place, files: ReceiptFile[], folders: string[]): Io<string[]> {
	const known = new Set([...files.map(({ path }) => path), ...folders])
	const present = new Set<string>()
	const lost: string[] = []
	for (const folder of ['', ...folders]) {
		if (folder !== '' && !(yield* lookAtFolder(place, folder))) {
			lost.push(`${folder}/`)
			continue
		}
		const names = yield* namesIn(`${place.base}/${place.folder}${folder === '' ? '' : `/${folder}`}`)
		for (const name of names) present.add(folder === '' ? name : `${folder}/${name}`)
	}
	for (const file of files) {
		if (lost.some((folder) => file.path.startsWith(folder))) continue
		yield* lookAtFile(place, file)
	}
	// Parts of incremental backups stand side by side.
	if (place.beside === 'all') return []
	const { beside } = place
	return [...present].filter((path) => !known.has(path) && !beside.has(path)).sort()
}

function* lookAtFile(place: Place, file: ReceiptFile): Io<void> {
	const { base, folder, snapshot, grainNs, found, shared } = place
	const problem = (kind: DamageKind, reason: string) =>
		void found.problems.push({ snapshot, path: file.path, kind, reason })
	const path = `${folder}/${file.path}`
	let stat: Stat | undefined
	try {
		stat = yield* lstatIfThere(pathOf(`${base}/${path}`))
	} catch (error) {
		if (!hasCode(error, 'EIO', 'EACCES', 'ENOTDIR', 'ENAMETOOLONG')) throw error
		return problem('unreadable', `it can’t be looked at (${error.code})`)
	}
	if (!stat) return problem('missing', 'it is missing')
	if (!stat.isFile()) {
		const { kind, reason } = noFile(stat, 'file')
		return problem(kind, reason)
	}
	if (stat.size !== BigInt(file.size)) {
		return problem('other size', `it has ${stat.size} bytes, its receipt says ${file.size}`)
	}
	const claim = { snapshot, path: file.path, crc32: file.crc32, ...(file.damage ? { damage: file.damage } : {}) }
	const known = stat.nlink > 1n ? shared.get(stat.ino) : undefined
	if (known) {
		known.claims.push(claim)
		return
	}
	const copy = {
		path,
		size: file.size,
		claims: [claim],
		isTouched: grainNs === undefined || isTouched(stat, file, grainNs),
	}
	found.copies.push(copy)
	if (stat.nlink > 1n) shared.set(stat.ino, copy)
}

/** Haven's times are rounded by some file systems; what is shared with the node may have been given others there. */
function isTouched(stat: Stat, file: ReceiptFile, grainNs: number): boolean {
	if (file.how === 'hardlinked' && mayBeRewritten(file.path)) return true
	const distance = stat.mtimeNs - BigInt(file.mtimeNs)
	return (distance < 0n ? -distance : distance) > BigInt(Math.max(grainNs, TIME_GRAIN_NS_MIN))
}

/** Two seconds, as FAT keeps times: no file system that can hold a haven keeps them worse. */
const TIME_GRAIN_NS_MIN = 2e9

function noFile(stat: Stat, expected: string): { kind: 'no file'; reason: string } {
	const what = stat.isSymbolicLink() ? 'a symbolic link' : stat.isDirectory() ? 'a folder' : 'something else'
	return { kind: 'no file', reason: `it is ${what === expected ? 'something else' : what}, and no ${expected}` }
}

function* namesIn(folder: string): Io<Name[]> {
	const names = yield* readdir(pathOf(folder))
	if (!names.some((name) => name.includes('\ufffd'))) return names
	return (yield* readdirBytes(pathOf(folder), { encoding: 'buffer' })).map(decodeName)
}
