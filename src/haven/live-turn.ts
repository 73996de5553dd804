import { dirname } from 'node:path'
import { createFile, readWhole } from '../files/contents.ts'
import { flushFolder, makeFolder, removeTree } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { decodeName, type Name, pathOf } from '../files/names.ts'
import { link, readdirBytes, rmdir } from '../files/operations.ts'
import { DELETED, gathering, receiptPath, removing, type SnapshotKey, snapshotFolder } from './layout.ts'
import { namesOf } from './names-of.ts'
import { keepOldReceipt } from './publish.ts'
import { checksumAt } from './receipts.ts'
import { move, moveIfThere, refuseLinks, there } from './renames.ts'
import { checkedRecord, withChecksum } from './sealed-text.ts'
import { keepAside } from './set-aside.ts'
import { crc, fields, inside, list, natural, optional, snapshotKey } from './shapes.ts'

/**
 * What it takes to make one set of a table's live SSTables, gathered as far as it is new, the table's live set; or to add
 * a part to its incremental backups, which replaces and removes nothing.
 */
export interface LiveTurn {
	/** Its number under the token: what `gathering` makes its paths of. */
	number: number
	/** With LIVE for its tag, or that of a part of incremental backups. */
	key: SnapshotKey
	/** The checksum that the new receipt ends with, and that of the one that it replaces; none where there was none. */
	receiptChecksum: string
	replaces?: string
	/** Folders of secondary indexes that the new set has files in. */
	folders: Name[]
	/** Paths in the table's folder, in the order in which they come in: of each SSTable TOC.txt last. */
	add: Name[]
	/** Those of `add` that the old set has too. */
	replace: Name[]
	/**
	 * What goes before anything comes in, in this order: files of an SSTable whose name another one has now. They come
	 * back if the turn is undone.
	 */
	clear: Name[]
	/** What only the old set has, in the order in which it goes: of each SSTable TOC.txt first. */
	remove: Name[]
	/** Where what goes is kept, relative to the haven; it is deleted where there is none. */
	keepIn?: string
}

/** The intent of some turns: durable before the first of their renames, gone when all is done. */
interface LiveIntent {
	format: 1
	turns: LiveTurn[]
}

const paths = list(inside)
const isIntent = fields({
	turns: list(
		fields({
			number: natural,
			key: snapshotKey,
			receiptChecksum: crc,
			replaces: optional(crc),
			folders: paths,
			add: paths,
			replace: paths,
			clear: paths,
			remove: paths,
			keepIn: optional((value) => inside(value) && String(value).startsWith(`${DELETED}/`)),
		}),
	),
})

const INTENT_BYTES_MAX = 256 * 1024 * 1024

/** Notes down what is about to be done. Durable only with the flush that follows, or `flush`. */
export function* writeLiveIntent(base: string, path: string, turns: LiveTurn[], flush: boolean): Io<void> {
	const intent: LiveIntent = { format: 1, turns }
	yield* createFile(`${base}/${path}`, withChecksum(JSON.stringify(intent)), { mode: 0o644, flush })
}

/** The turns that were begun in a folder of partial, by intents that were written whole. */
export function* findLiveIntents(base: string, partial: string): Io<{ path: string; turns: LiveTurn[] }[]> {
	const found: { path: string; turns: LiveTurn[] }[] = []
	for (const name of yield* namesOf(`${base}/${partial}`)) {
		if (!/^live-\d+\.json$/.test(name)) continue
		const path = `${partial}/${name}`
		const intent = checkedRecord<LiveIntent>(yield* readWhole(`${base}/${path}`, INTENT_BYTES_MAX), isIntent)
		if (intent) found.push({ path, turns: intent.turns })
	}
	return found
}

/** Makes the folders that a turn is published into, those that are missing, and gives all whose entries may change. */
function* makeLivePlaces(base: string, { key, folders }: Pick<LiveTurn, 'key' | 'folders'>): Io<string[]> {
	const table = snapshotFolder(key)
	const places = placesOfTurn(key)
	yield* refuseLinks(base, `${table}/`, receiptPath(key), ...folders.map((folder) => `${table}/${folder}/`))
	for (const path of places.slice(1)) yield* makeFolder(pathOf(`${base}/${path}`), 0o777)
	for (const folder of folders) yield* makeFolder(pathOf(`${base}/${table}/${folder}`), 0o777)
	return [...places, ...folders.map((folder) => `${table}/${folder}`)]
}

/** The folders in the haven that a turn comes into, indexes' aside, each before what it holds. */
export function placesOfTurn(key: SnapshotKey): string[] {
	return [...parentsOf(snapshotFolder(key)), ...parentsOf(dirname(receiptPath(key))).slice(1)]
}

/** A path and all that it lies in, outermost first. */
function parentsOf(path: string): string[] {
	const parts = path.split('/')
	return ['.', ...parts.map((_, at) => parts.slice(0, at + 1).join('/')).filter((one) => one !== '.')]
}

/** What publishing a live set found in its way. */
export interface PutLive {
	/** Files that no receipt knew stood where new ones had to come: where they are now, relative to the haven. */
	setAside?: string
}

/**
 * Renames what is new into the table's folder, and then the receipt. What it replaces is kept under the token. May be
 * stopped anywhere and called again. Call only behind a durable intent; durable with the flush that follows.
 */
export function* putLive(base: string, partial: string, turn: LiveTurn): Io<PutLive> {
	const { key, number, add, clear } = turn
	const table = snapshotFolder(key)
	const from = gathering.folder(partial, number)
	const old = gathering.old(partial, number)
	yield* makeLivePlaces(base, turn)
	if (turn.replaces !== undefined && (yield* checksumAt(base, receiptPath(key))) === turn.replaces) {
		yield* keepOldReceipt(base, partial, number, key)
	}
	const coming = new Set(add)
	for (const path of clear) {
		// What has come in already is not to go again.
		if (coming.has(path) && !(yield* there(base, `${from}/${path}`))) continue
		yield* moveInto(base, `${table}/${path}`, old, path)
	}
	const known = new Set([...turn.replace, ...clear])
	const present = yield* presentIn(base, table, ['', ...turn.folders])
	for (const path of add) {
		if (present.has(path) && (yield* there(base, `${from}/${path}`))) {
			if (turn.replace.includes(path)) yield* keepOld(base, `${table}/${path}`, old, path)
			else if (!known.has(path)) yield* moveInto(base, `${table}/${path}`, gathering.aside(partial, number), path)
		}
		yield* moveIfThere(base, `${from}/${path}`, `${table}/${path}`)
	}
	yield* moveIfThere(base, gathering.receipt(partial, number), receiptPath(key))
	if (!(yield* there(base, gathering.aside(partial, number)))) return {}
	return { setAside: yield* keepAside(base, partial, turn) }
}

/** The names in a table's folder of the haven, those in its indexes' folders with these before them. */
function* presentIn(base: string, table: string, folders: Name[]): Io<Set<Name>> {
	const present = new Set<Name>()
	for (const folder of folders) {
		const at = folder === '' ? '' : `${folder}/`
		for (const name of yield* readdirBytes(pathOf(`${base}/${table}/${at}`), { encoding: 'buffer' })) {
			present.add(at + decodeName(name))
		}
	}
	return present
}

/**
 * Renames out what only the old set had. Call only when the new set and its receipt are durable. May be stopped anywhere
 * and called again. Gives the folders to flush.
 */
export function* takeLiveOut(base: string, partial: string, turn: LiveTurn): Io<string[]> {
	const { key, number, remove } = turn
	if (remove.length + turn.clear.length === 0) return []
	const table = snapshotFolder(key)
	// Another turn has come since: what this one had to remove went long ago.
	if ((yield* checksumAt(base, receiptPath(key))) !== turn.receiptChecksum) return []
	const folders = new Set([partial, table])
	for (const path of remove) {
		yield* moveInto(base, `${table}/${path}`, removing.folder(partial, number), path)
		folders.add(dirname(`${table}/${path}`))
	}
	if (turn.keepIn !== undefined) {
		const old = gathering.old(partial, number)
		for (const path of turn.clear) yield* moveInto(base, `${old}/${path}`, removing.folder(partial, number), path)
		for (const path of yield* keepDeleted(base, partial, turn, turn.keepIn)) folders.add(path)
	}
	for (const folder of new Set(remove.map((path) => dirname(path)))) {
		if (folder !== '.' && !turn.folders.includes(folder)) yield* removeEmpty(`${base}/${table}/${folder}`)
	}
	return yield* those(base, folders)
}

/** What goes is kept by one rename of its folder, out of partial, so that who was only paused can do nothing here. */
function* keepDeleted(base: string, partial: string, { number, key }: LiveTurn, keepIn: string): Io<string[]> {
	if (!(yield* there(base, removing.folder(partial, number)))) return []
	const places = parentsOf(keepIn)
	for (const path of places.slice(1)) yield* makeFolder(pathOf(`${base}/${path}`), 0o777)
	const name = `${keepIn}/${partial.slice(partial.lastIndexOf('/') + 1)}-${number}`
	yield* moveIfThere(base, removing.folder(partial, number), name)
	return [...places, name, dirname(receiptPath(key))]
}

function* those(base: string, folders: Iterable<string>): Io<string[]> {
	const found: string[] = []
	for (const folder of folders) if (yield* there(base, folder)) found.push(folder)
	return found
}

function* removeEmpty(folder: string): Io<void> {
	try {
		yield* rmdir(pathOf(folder))
	} catch (error) {
		if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw error
	}
}

/** Deletes what a turn leaves under the token. Call only when all is durable and the intent gone. */
export function* clearUpLive(base: string, partial: string, { number }: LiveTurn): Io<void> {
	// The receipt first: an intent that a power cut brings back finds nothing to go back to.
	yield* removeTree(`${base}/${gathering.oldReceipt(partial, number)}`)
	for (const path of [gathering.progress, gathering.receipt, gathering.old, gathering.bad, gathering.badReceipt]) {
		yield* removeTree(`${base}/${path(partial, number)}`)
	}
	yield* removeTree(`${base}/${gathering.folder(partial, number)}`)
	yield* removeTree(`${base}/${removing.folder(partial, number)}`)
}

/** Renames a file into a folder of partial, under its own path there. What is gone already is no error. */
export function* moveInto(base: string, from: string, folder: string, path: Name): Io<boolean> {
	const to = `${folder}/${path}`
	if (yield* moveIfThere(base, from, to)) return true
	if (!(yield* there(base, from))) return false
	yield* makeFolder(pathOf(`${base}/${folder}`), 0o700)
	yield* makeFolder(pathOf(dirname(`${base}/${to}`)), 0o700)
	yield* move(base, from, to)
	return true
}

/** Keeps a file that is about to be replaced: as one more name, so that it is never missing in its place. */
function* keepOld(base: string, from: string, folder: string, path: Name): Io<void> {
	const to = `${folder}/${path}`
	if (yield* there(base, to)) return
	yield* makeFolder(pathOf(`${base}/${folder}`), 0o700)
	yield* makeFolder(pathOf(dirname(`${base}/${to}`)), 0o700)
	try {
		yield* link(pathOf(`${base}/${from}`), pathOf(`${base}/${to}`))
	} catch (error) {
		if (!hasCode(error, 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES')) throw error
		yield* move(base, from, to)
	}
}

/** Makes what a turn has changed in the table's folder durable at once, where no flush follows. */
export function* flushLive(base: string, turn: LiveTurn): Io<void> {
	for (const path of yield* makeLivePlaces(base, turn)) yield* flushFolder(`${base}/${path}`)
}
