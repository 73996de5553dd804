import { createFile, readWhole } from '../files/contents.ts'
import { below, flushOpened, itself, makeFolder, removeBelow } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { lstatIfThere, readdir, rename } from '../files/operations.ts'
import { checkedRecord, withChecksum } from '../haven/sealed-text.ts'
import { fields, list, text, truth } from '../haven/shapes.ts'
import type { Combined } from './add-backups.ts'
import { withDataFolder } from './data-folders.ts'
import { folderOf, MARKERS, markerName, type TablePlace } from './places.ts'

/** What is noted of a table that was restored whole, before its folder gets its name. */
export interface Marker {
	/** See markedId. */
	receiptId: string
	tag: string
	/** The haven's files are shared. */
	link: boolean
	/** Paths of the files that are not there, since the haven's are damaged. */
	leftOut: string[]
}

const isMarker = fields({ receiptId: text, tag: text, link: truth, leftOut: list(text) })

const BYTES_MAX = 64 * 1024 * 1024

/** By what it is known what a table was restored from: the receipt's id, and those of incremental backups. */
export function markedId({ id, ids = [] }: Pick<Combined, 'id' | 'ids'>): string {
	return ids.length > 1 ? ids.join('+') : id
}

/** Writes it durably, within the opened root. */
export function* writeMarker(root: number, place: TablePlace, marker: Marker): Io<void> {
	if (yield* makeFolder(below(root, MARKERS), 0o777)) yield* flushOpened(root)
	const name = markerName(place)
	const draft = `${name}.draft`
	const text = withChecksum(JSON.stringify({ format: 1, ...marker }))
	yield* withDataFolder(itself(root), MARKERS, function* (folder) {
		yield* removeBelow(folder, draft)
		yield* createFile(below(folder, draft), text, { mode: 0o644, flush: true })
		yield* rename(below(folder, draft), below(folder, name))
		yield* flushOpened(folder)
	})
}

function* readMarker(place: TablePlace): Io<Marker | undefined> {
	try {
		return checkedRecord<Marker>(yield* readWhole(`${place.root}/${MARKERS}/${markerName(place)}`, BYTES_MAX), isMarker)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
}

/** What stands in a table's place: nothing, the very same restored before, or something that must not be touched. */
export type Standing = 'nothing' | { restored: Marker } | { other: string }

/** Looks at a table's place. A folder is the very same if it was restored from this receipt, and has its files still. */
export function* lookAtPlace(
	place: TablePlace,
	receipt: Pick<Combined, 'id' | 'ids' | 'files'>,
	link: boolean,
): Io<Standing> {
	const folder = folderOf(place)
	const found = yield* lstatIfThere(folder)
	if (!found) return 'nothing'
	if (!found.isDirectory()) return { other: 'it is no folder' }
	const names = yield* readdir(folder)
	if (names.length === 0) return 'nothing'
	const marker = yield* readMarker(place)
	if (marker === undefined) return { other: 'it was not restored by snaphaven' }
	if (marker.receiptId !== markedId(receipt)) return { other: `it was restored from another snapshot, ${marker.tag}` }
	if (marker.link !== link) return { other: `it was restored ${marker.link ? 'with' : 'without'} --link` }
	const leftOut = new Set(marker.leftOut)
	for (const { path, size } of receipt.files.filter(({ path }) => !leftOut.has(path))) {
		const file = yield* lstatIfThere(`${folder}/${path}`)
		if (Number(file?.size) !== size) return { other: `its files were taken away or changed since, ${path} first` }
	}
	return { restored: marker }
}
