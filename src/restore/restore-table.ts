import { parseComponent } from '../cassandra/sstable.ts'
import { ownAs } from '../files/contents.ts'
import { below, FOLDER, flushFolder, makeFolder, removeTree } from '../files/folders.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { decodeName, pathOf } from '../files/names.ts'
import { close, fchmod, lstatIfThere, open, readdirBytes, rename, withOpen } from '../files/operations.ts'
import { snapshotFolder } from '../haven/layout.ts'
import { whatBecameOf } from '../haven/read-sealed.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'
import type { Combined } from './add-backups.ts'
import { copyFile } from './copy-file.ts'
import { markedId, writeMarker } from './marker.ts'
import { folderOf, partialOf, type TablePlace } from './places.ts'

/** One table to be restored. */
export interface TableOrder {
	/** The haven's opened root, as a path. */
	base: string
	receipt: Combined
	place: TablePlace
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
 * out. `note` says that it is noted as restored. Throws for what concerns the place or the haven as a whole; what was gathered by then is gone on with.
 */
export function* restoreTable(order: TableOrder, note = true): Io<TableResult> {
	const { receipt, place } = order
	const partial = partialOf(place)
	yield* makeFolder(`${place.root}/${place.keyspace}`, 0o777)
	yield* preparePartial(partial, receipt)
	const damage = yield* gather(order, partial)
	if (damage.length > 0) {
		const changed = yield* whatBecameOf(order.base, receipt, receipt.id)
		if (changed !== 'same' || !order.acceptDamaged) {
			yield* removeTree(partial)
			const refused = { restored: false, damage, leftOut: [] }
			return changed === 'same' ? refused : { ...refused, changed }
		}
	}
	const leftOut = withWholeSSTables(receipt.files, damage)
	for (const path of leftOut) yield* removeTree(`${partial}/${path}`)
	yield* finishFolders(order, partial)
	if (note) yield* writeMarker(place, { receiptId: markedId(receipt), tag: receipt.tag, link: order.link, leftOut })
	yield* rename(partial, folderOf(place))
	yield* flushFolder(`${place.root}/${place.keyspace}`)
	yield* flushFolder(place.root)
	return { restored: true, damage, leftOut }
}

/** Makes the folders to gather in; of what an earlier run left there, only what the receipt names stays. */
function* preparePartial(partial: string, receipt: Receipt): Io<void> {
	const kept = new Set([...receipt.folders, ...receipt.files].map(({ path }) => path))
	if (yield* makeFolder(partial, 0o700)) {
		for (const { path } of receipt.folders) yield* makeFolder(pathOf(`${partial}/${path}`), 0o700)
		return
	}
	yield* setMode(partial, 0o700)
	for (const folder of ['', ...receipt.folders.map(({ path }) => path)]) {
		const path = folder === '' ? partial : `${partial}/${folder}`
		if (folder !== '' && !(yield* makeFolder(pathOf(path), 0o700))) yield* setMode(path, 0o700)
		for (const bytes of yield* readdirBytes(pathOf(path), { encoding: 'buffer' })) {
			const name = decodeName(bytes)
			if (!kept.has(folder === '' ? name : `${folder}/${name}`)) yield* removeTree(`${path}/${name}`)
		}
	}
}

function* gather(order: TableOrder, partial: string): Io<FileDamage[]> {
	const { receipt } = order
	const folderOfFile = ({ path }: ReceiptFile) => snapshotFolder(receipt.elsewhere?.get(path) ?? receipt)
	const damage: FileDamage[] = []
	for (const [folder, files] of Map.groupBy(receipt.files, folderOfFile)) {
		damage.push(...(yield* gatherFrom(order, folder, files, partial)))
	}
	return damage
}

function* gatherFrom(order: TableOrder, folder: string, files: ReceiptFile[], partial: string): Io<FileDamage[]> {
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
						to: pathOf(`${partial}/${path}`),
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
function* finishFolders({ receipt, link, owner }: TableOrder, partial: string): Io<void> {
	const own = owner ?? receipt.files[0] ?? { uid: 0, gid: 0 }
	const folders = [...receipt.folders, { path: '', mode: 0o755, uid: own.uid, gid: own.gid }]
	for (const { path, mode, uid, gid } of folders.map((folder) => ({ ...folder, ...owner }))) {
		yield* withOpen(pathOf(path === '' ? partial : `${partial}/${path}`), FOLDER, function* (fd) {
			if (!link) yield* ownAs(fd, { uid, gid })
			yield* fchmod(fd, link ? 0o555 : mode | 0o700)
		})
	}
	for (const { path } of receipt.folders) yield* flushFolder(`${partial}/${path}`)
	yield* flushFolder(partial)
}

function setMode(path: string, mode: number): Io<void> {
	return withOpen(pathOf(path), FOLDER, (fd) => fchmod(fd, mode))
}
