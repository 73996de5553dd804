import { dirname } from 'node:path'
import { flushFolder, makeFolder } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { PRIVATE, RECEIPTS, receiptsFolder, snapshotsFolder } from './layout.ts'
import { thereUnlessLink } from './renames.ts'

interface Table {
	keyspace: string
	table: string
}

/**
 * Makes the folders of a table in the mirror and among the receipts, those that are missing, and gives them. Nothing is
 * remembered of them: somebody may remove them at any time, or mount another haven.
 */
export function* makePlaces(base: string, table: Table): Io<string[]> {
	const made: string[] = []
	yield* thereUnlessLink(base, PRIVATE)
	for (const path of placesOf(table)) {
		if (yield* thereUnlessLink(base, path)) continue
		if (yield* makeFolder(pathOf(`${base}/${path}`), 0o777)) made.push(path)
	}
	return made
}

/** The same, durably, where no flush of all these folders follows. True where any was missing. */
export function* makePlacesAnew(base: string, table: Table): Io<boolean> {
	const made = yield* makePlaces(base, table)
	for (const path of made) yield* flushFolder(dirname(`${base}/${path}`))
	return made.length > 0
}

/** The folders of a table in the haven, outermost first. */
export function placesOf(table: Table): string[] {
	const snapshots = snapshotsFolder(table).split('/')
	const receipts = receiptsFolder(table).split('/')
	return [
		...snapshots.map((_, at) => snapshots.slice(0, at + 1).join('/')),
		...receipts.map((_, at) => receipts.slice(0, at + 1).join('/')).filter((path) => path.length >= RECEIPTS.length),
	]
}
