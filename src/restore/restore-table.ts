import { parseComponent } from '../cassandra/sstable.ts'
import { ownAs } from '../files/contents.ts'
import { below, FOLDER, flushOpened, removeBelow } from '../files/folders.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, fchmod, lstatIfThere, open, rename } from '../files/operations.ts'
import { snapshotFolder } from '../haven/layout.ts'
import { whatBecameOf } from '../haven/read-sealed.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'
import type { Combined } from './add-backups.ts'
import { copyFile } from './copy-file.ts'
import { markedId, writeMarker } from './marker.ts'
import { partialName, type TablePlace } from './places.ts'
import { type TargetFolders, withTargetFolders } from './target-folders.ts'

/** One table to be restored. */
export interface TableOrder {
	/** The haven's opened root, as a path. */
	base: string
	receipt: Combined
	/** The opened folder that the table's comes into, and its name there. */
	parent: number
	name: string
	/** Where it is noted as restored, within the opened root; nowhere where there is none. */
	note?: { root: number; place: TablePlace }
	link: boolean
	/** Go on without the SSTables of which the haven has a damaged file. */
	acceptDamaged: boolean
	/** In place of who owned the files on the node. */
	owner?: { uid: number; gid: number }
	signal: AbortSignal
	onBytes: (bytes: number) => void
}

/** A file that the haven does not have as its receipt says. */
export interface FileDamage {
	path: string
	reason: string
}

/** What became of a table. */
export interface TableResult {
	/** Its folder is there, whole but for what was left out. */
	restored: boolean
	damage: FileDamage[]
	/** Paths of the files that were left out with the damaged ones. */
	leftOut: string[]
	/** Set where the snapshot was replaced or removed meanwhile, so that nothing here says damage. */
	changed?: string
}

/** Files in flight at a time. */
const WIDTH = 16

/**
 * Restores one table: gathered beside its place, each file held against the receipt, flushed, and then renamed into its
 * place. Where a file is damaged in the haven, nothing appears, unless that is accepted: then the whole SSTable is left
 * out. Throws for what concerns the place or the haven as a whole; what was gathered by then is gone on with.
 */
export function* restoreTable(order: TableOrder): Io<TableResult> {
	const { receipt, parent, name, note, link } = order
	const partial = partialName(name)
	const result = yield* withTargetFolders(parent, partial, receipt, (target) => gatherWhole(order, target))
	if (!result.restored) {
		yield* removeBelow(parent, partial)
		return result
	}
	const { leftOut } = result
	if (note) yield* writeMarker(note.root, note.place, { receiptId: markedId(receipt), tag: receipt.tag, link, leftOut })
	yield* rename(below(parent, partial), below(parent, name))
	yield* flushOpened(parent)
	return result
}

function* gatherWhole(order: TableOrder, target: TargetFolders): Io<TableResult> {
	const { receipt } = order
	let damage = yield* gather({ ...order, files: receipt.files }, target)
	let changed = damage.length > 0 ? yield* whatBecameOf(order.base, receipt, receipt.id) : 'same'
	if (damage.length > 0 && changed === 'same') {
		// It may have been while a seal of its tag was undone: then the older copy was away, and came back.
		damage = yield* gather({ ...order, files: filesOf(receipt, damage) }, target)
		if (damage.length > 0) changed = yield* whatBecameOf(order.base, receipt, receipt.id)
	}
	if (damage.length > 0 && (changed !== 'same' || !order.acceptDamaged)) {
		const refused = { restored: false, damage, leftOut: [] }
		return changed === 'same' ? refused : { ...refused, changed }
	}
	const leftOut = withWholeSSTables(receipt.files, damage)
	for (const path of leftOut) yield* target.remove(path)
	yield* finishFolders(order, target)
	return { restored: true, damage, leftOut }
}

function filesOf({ files }: Receipt, damage: readonly FileDamage[]): ReceiptFile[] {
	const paths = new Set(damage.map(({ path }) => path))
	return files.filter(({ path }) => paths.has(path))
}

function* gather(order: TableOrder & { files: ReceiptFile[] }, target: TargetFolders): Io<FileDamage[]> {
	const { receipt, files } = order
	const folderOfFile = ({ path }: ReceiptFile) => snapshotFolder(receipt.elsewhere?.get(path) ?? receipt)
	const damage: FileDamage[] = []
	for (const [folder, inFolder] of Map.groupBy(files, folderOfFile)) {
		damage.push(...(yield* gatherFrom(order, folder, inFolder, target)))
	}
	return damage
}

function* gatherFrom(order: TableOrder, folder: string, files: ReceiptFile[], target: TargetFolders): Io<FileDamage[]> {
	const { base, receipt } = order
	const source = yield* openSnapshot(`${base}/${folder}`)
	if (source === undefined) return files.map(({ path }) => ({ path, reason: 'it is not there' }))
	try {
		const linked = yield* linksAmong(source, receipt)
		const damage = yield* each(files, WIDTH, function* (file) {
			const { path } = file
			const reason = linked.some((inner) => path.startsWith(`${inner}/`))
				? 'its folder is a symbolic link'
				: yield* copyFile({
						...order,
						file: { ...file, ...order.owner },
						from: below(source, path),
						to: target.pathOf(path),
					})
			return reason === undefined ? [] : [{ path, reason }]
		})
		return damage.flat()
	} finally {
		yield* close(source)
	}
}

function* openSnapshot(path: string): Io<number | undefined> {
	try {
		return yield* open(pathOf(path), FOLDER)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined
		throw error
	}
}

/** Folders of the snapshot that are links by now: nothing is followed out of the haven. */
function* linksAmong(source: number, { folders }: Receipt): Io<string[]> {
	const links: string[] = []
	for (const { path } of folders) {
		if ((yield* lstatIfThere(below(source, path)))?.isSymbolicLink()) links.push(path)
	}
	return links
}

/** An SSTable that lacks a component is left out whole: half of one is worse than none. */
function withWholeSSTables(files: ReceiptFile[], damage: FileDamage[]): string[] {
	const damaged = new Set(damage.map(({ path }) => path))
	const prefixes = new Set(damage.flatMap(({ path }) => parseComponent(path)?.prefix ?? []))
	return files.map(({ path }) => path).filter((path) => damaged.has(path) || prefixes.has(prefixOf(path)))
}

function prefixOf(path: string): string {
	return parseComponent(path)?.prefix ?? ''
}

/** What is linked can't be moved away by mistake: its folders are read-only. A copy's belong to who owns its files. */
function* finishFolders({ receipt, link, owner }: TableOrder, target: TargetFolders): Io<void> {
	const own = owner ?? receipt.files[0] ?? { uid: 0, gid: 0 }
	const folders = [...receipt.folders, { path: '', mode: 0o755, uid: own.uid, gid: own.gid }]
	for (const { path, mode, uid, gid } of folders.map((folder) => ({ ...folder, ...owner }))) {
		const folder = target.folder(path)
		if (!link) yield* ownAs(folder, { uid, gid })
		yield* fchmod(folder, link ? 0o555 : mode | 0o700)
		yield* flushOpened(folder)
	}
}
