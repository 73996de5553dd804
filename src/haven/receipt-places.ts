import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { RECEIPTS } from './layout.ts'

/** Where a receipt stands. Names are undefined where only the receipt itself can tell them (docs/haven-format.md). */
export interface ReceiptPlace {
	/** Relative to the haven. */
	path: string
	keyspace: string | undefined
	table: string | undefined
	tag: string | undefined
}

/** Lists where receipts stand, by names alone; `wanted` leaves out what its names already decide. */
export function* listReceiptPlaces(
	base: string,
	wanted: (names: Omit<ReceiptPlace, 'path'>) => boolean,
): Io<ReceiptPlace[]> {
	const places: ReceiptPlace[] = []
	for (const keyspaceFolder of yield* namesIn(`${base}/${RECEIPTS}`)) {
		const keyspace = trueName(keyspaceFolder)
		for (const tableFolder of yield* namesIn(`${base}/${RECEIPTS}/${keyspaceFolder}`)) {
			const table = trueName(tableFolder)
			if (!wanted({ keyspace, table, tag: undefined })) continue
			const folder = `${RECEIPTS}/${keyspaceFolder}/${tableFolder}`
			for (const name of yield* namesIn(`${base}/${folder}`)) {
				if (!name.endsWith('.json')) continue
				const tag = trueName(name.slice(0, -'.json'.length))
				if (wanted({ keyspace, table, tag })) places.push({ path: `${folder}/${name}`, keyspace, table, tag })
			}
		}
	}
	return places
}

/** The name that a safe name stands for, where that is the name itself: only a shortened one has a `~`. */
function trueName(safe: string): string | undefined {
	return safe.includes('~') ? undefined : safe
}

/** What is gone by now, or no folder, holds nothing. */
function* namesIn(folder: string): Io<string[]> {
	try {
		return yield* readdir(folder)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
		throw error
	}
}
