import { makeFolder } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { RECEIPTS, receiptsFolder, snapshotsFolder } from './layout.ts'

const placesMade = new Set<string>()

/** Makes the folders of a table in the mirror and among the receipts. */
export function* makePlaces(base: string, table: { keyspace: string; table: string }): Io<void> {
	for (const path of placesOf(table)) {
		if (placesMade.has(`${base}/${path}`)) continue
		yield* makeFolder(pathOf(`${base}/${path}`), 0o777)
		placesMade.add(`${base}/${path}`)
	}
}

/** The folders of a table in the haven, outermost first. */
export function placesOf(table: { keyspace: string; table: string }): string[] {
	const snapshots = snapshotsFolder(table).split('/')
	const receipts = receiptsFolder(table).split('/')
	return [
		...snapshots.map((_, at) => snapshots.slice(0, at + 1).join('/')),
		...receipts.map((_, at) => receipts.slice(0, at + 1).join('/')).filter((path) => path.length >= RECEIPTS.length),
	]
}
