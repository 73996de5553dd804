import { type Dirent, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What a power cut may leave of a haven, as far as snaphaven may rely on it:
 * - fsync of a file promises its bytes and its size, and no name of it;
 * - fsync of a folder promises the names in it, and nothing of what they lead to; a rename that it promises is so for
 *   both its names, so that the flush of either of its folders will do;
 * - syncfs promises all that was done before it began.
 *
 * Of all else each change may have come to the disk or not, in any combination, but for what no file system does: a
 * rename is whole or not done, and of two changes of one name the later one is not there without the earlier. Bytes that
 * did not come are missing, or zeros of the right length.
 */
export interface Change {
	/** Names that it changes, by folder: what they lead to from then on. */
	names?: { folder: number; name: string; leadsTo: number | undefined; makesFolder?: boolean }[]
	/** Bytes that it writes. */
	write?: { file: number; at: number; bytes: Buffer }
	/** Changes by their numbers that are there where this one is. */
	needs: number[]
	/** The number of records after which it is promised. */
	promisedAfter: number
	/** Its record's number. */
	record: number
}

/** A line of what record-changes.mjs wrote down. */
export type ChangeRecord =
	| { did: 'create' | 'mkdir' | 'link'; path: string; ino: number }
	| { did: 'unlink' | 'rmdir' | 'gone'; path: string }
	| { did: 'rename'; path: string; to: string }
	| { did: 'write'; ino: number; at: number; bytes: string }
	| { did: 'fsync'; ino: number }
	| { did: 'sync' | 'synced'; by: number }
	| { did: 'remember' }
	| { did: 'tell'; text: string }

const ROOT = 0
const NEVER = Number.POSITIVE_INFINITY

/** Names in folders, and bytes of files, by inode. */
export interface Disk {
	folders: Map<number, Map<string, number>>
	files: Map<number, Buffer>
}

/** Reads a folder as a disk; hard links are so there too. */
export function readDisk(root: string): Disk {
	const disk: Disk = { folders: new Map(), files: new Map() }
	const readFolder = (path: string, ino: number) => {
		const names = new Map<string, number>()
		disk.folders.set(ino, names)
		for (const entry of readdirSync(path, { withFileTypes: true })) names.set(entry.name, readEntry(path, entry))
	}
	const readEntry = (folder: string, entry: Dirent): number => {
		const path = join(folder, entry.name)
		const { ino } = lstatSync(path)
		if (entry.isDirectory()) readFolder(path, ino)
		else disk.files.set(ino, readFileSync(path))
		return ino
	}
	readFolder(root, ROOT)
	return disk
}

/** All paths of a disk, each file with its bytes, each folder without. */
export function pathsOf({ folders, files }: Disk): Map<string, Buffer | undefined> {
	const paths = new Map<string, Buffer | undefined>()
	const walk = (folder: number, at: string) => {
		for (const [name, ino] of folders.get(folder) ?? []) {
			const inner = folders.has(ino)
			paths.set(at + name, inner ? undefined : (files.get(ino) ?? Buffer.alloc(0)))
			if (inner) walk(ino, `${at}${name}/`)
		}
	}
	walk(ROOT, '')
	return paths
}

/** The changes that records tell of, from a disk on; `end` is what the disk is in the end if all of them are there. */
export function changesOf(start: Disk, records: ChangeRecord[]): { changes: Change[]; end: Disk } {
	const end = copyOf(start)
	const changes: Change[] = []
	const lastOfName = new Map<string, number>()
	const syncs = new Map<number, number>()
	const promise = (isMeant: (change: Change, number: number) => boolean, after: number) => {
		const reached = changes.flatMap((change, number) => (isMeant(change, number) ? [number] : []))
		for (const number of reached) promiseWithNeeds(changes, number, after)
	}
	const add = (change: Pick<Change, 'names' | 'write'>, record: number) => {
		const touched = (change.names ?? []).map(({ folder, name }) => `${folder}/${name}`)
		const needs = touched.flatMap((name) => lastOfName.get(name) ?? [])
		for (const name of touched) lastOfName.set(name, changes.length)
		changes.push({ ...change, needs, promisedAfter: NEVER, record })
		apply(end, changes.at(-1) as Change)
	}
	for (const [record, one] of records.entries()) {
		const change = changeOf(end, one)
		if (change) add(change, record)
		if (one.did === 'create') end.files.set(one.ino, Buffer.alloc(0))
		if (one.did === 'fsync') promise((other) => concerns(other, one.ino, end), record)
		if (one.did === 'sync') syncs.set(one.by, changes.length)
		if (one.did === 'synced') promise((_, number) => number < (syncs.get(one.by) ?? 0), record)
	}
	return { changes, end }
}

function promiseWithNeeds(changes: Change[], number: number, after: number): void {
	const change = changes[number]
	if (!change || change.promisedAfter <= after) return
	change.promisedAfter = after
	for (const needed of change.needs) promiseWithNeeds(changes, needed, after)
}

/** Whether a flush of this inode is one of that change; the haven's root is numbered anew. */
function concerns({ names, write }: Change, flushed: number, { folders, files }: Disk): boolean {
	if (files.has(flushed)) return write?.file === flushed
	const ino = folders.has(flushed) ? flushed : ROOT
	return names?.some(({ folder }) => folder === ino) ?? false
}

function changeOf(disk: Disk, one: ChangeRecord): Pick<Change, 'names' | 'write'> | undefined {
	if (one.did === 'create' || one.did === 'mkdir' || one.did === 'link')
		return { names: [{ ...placeIn(disk, one.path), leadsTo: one.ino, makesFolder: one.did === 'mkdir' }] }
	if (one.did === 'unlink' || one.did === 'rmdir')
		return { names: [{ ...placeIn(disk, one.path), leadsTo: undefined }] }
	if (one.did === 'write') return { write: { file: one.ino, at: one.at, bytes: Buffer.from(one.bytes, 'base64') } }
	if (one.did !== 'rename') return undefined
	const from = placeIn(disk, one.path)
	const leadsTo = disk.folders.get(from.folder)?.get(from.name)
	return {
		names: [
			{ ...from, leadsTo: undefined },
			{ ...placeIn(disk, one.to), leadsTo },
		],
	}
}

function placeIn({ folders }: Disk, path: string): { folder: number; name: string } {
	const words = path.split('/')
	const name = words.pop() ?? ''
	let folder = ROOT
	for (const word of words) folder = folders.get(folder)?.get(word) ?? -1
	if (!folders.has(folder)) throw new Error(`the records do not tell how ${path} came to be`)
	return { folder, name }
}

/** Makes a change; where `blank`, the bytes that it writes come as zeros. */
export function apply({ folders, files }: Disk, { names, write }: Change, blank = false): void {
	for (const { folder, name, leadsTo, makesFolder } of names ?? []) {
		if (makesFolder && leadsTo !== undefined && !folders.has(leadsTo)) folders.set(leadsTo, new Map())
		const inner = folders.get(folder) ?? new Map<string, number>()
		folders.set(folder, inner)
		if (leadsTo === undefined) inner.delete(name)
		else inner.set(name, leadsTo)
	}
	if (!write) return
	const before = files.get(write.file) ?? Buffer.alloc(0)
	const after = Buffer.alloc(Math.max(before.length, write.at + write.bytes.length))
	before.copy(after)
	if (!blank) write.bytes.copy(after, write.at)
	files.set(write.file, after)
}

/** The same disk, to be changed apart. */
export function copyOf({ folders, files }: Disk): Disk {
	return { folders: new Map(Array.from(folders, ([ino, names]) => [ino, new Map(names)])), files: new Map(files) }
}
