import { isUserKeyspace } from '../cassandra/find-tables.ts'
import { type FolderIdentity, identifyFolder } from '../cassandra/folder-identity.ts'
import { openFolderOrOwnLink } from '../cassandra/list-snapshot.ts'
import { constants } from '../files/builtins.ts'
import { namesIn, openFolderIfThere } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, readdir, withOpen } from '../files/operations.ts'
import { RECEIPTS, receiptsFolder, safeName } from '../haven/layout.ts'
import { RECEIPT_BYTES_MAX } from '../haven/publish.ts'
import { type ReceiptHead, readReceiptHead } from '../haven/receipt.ts'
import { recordBytes } from '../haven/sealed-text.ts'
import { onHaven } from '../haven/trouble.ts'
import type { ClearedSnapshot, Sight } from './cleared.ts'

interface Table {
	keyspace: string
	/** The table's folder, `<name>-<id>`. */
	table: string
}

/** What the haven has of a table and the node has not, and what was seen of the table on the node. */
export interface FoundCleared {
	cleared: ClearedSnapshot[]
	sights: Sight[]
}

/** Looks at a table in all data directories, each by folders that are opened one below the other, and at its receipts. */
export function* findCleared(base: string, dataDirectories: string[], table: Table): Io<FoundCleared> {
	const known = new Set(yield* onHaven(namesOf(`${base}/${RECEIPTS}/${safeName(table.keyspace)}`)))
	const sights: Sight[] = []
	for (const dataDirectory of dataDirectories) sights.push(yield* sightIn(dataDirectory, table, known))
	const there = new Set(sights.flatMap((sight) => (sight.there === 'table' ? sight.tags : [])).map(receiptName))
	const cleared: ClearedSnapshot[] = []
	for (const name of yield* onHaven(receiptNames(base, table))) {
		const head = there.has(name) ? undefined : yield* onHaven(headAt(`${base}/${receiptsFolder(table)}/${name}`))
		if (head) cleared.push(describe(head))
	}
	return { cleared, sights }
}

/** Tables that the haven has receipts of, and that are none of these, in the wanted keyspaces. */
export function* findVanished(base: string, keyspaces: string[] | 'all', present: Table[]): Io<Table[]> {
	const folders = new Set(present.map(receiptsFolder))
	const vanished: Table[] = []
	const wanted = keyspaces === 'all' ? yield* onHaven(namesOf(`${base}/${RECEIPTS}`)) : keyspaces.map(safeName)
	for (const keyspace of wanted) {
		for (const name of yield* onHaven(namesOf(`${base}/${RECEIPTS}/${keyspace}`))) {
			const folder = `${RECEIPTS}/${keyspace}/${name}`
			if (folders.has(folder)) continue
			const table = yield* onHaven(tableOf(base, folder))
			if (table && (keyspaces !== 'all' || isUserKeyspace(table.keyspace))) vanished.push(table)
		}
	}
	return vanished
}

/** The table that receipts are of: their folder has a safe name, and they have the true ones. */
function* tableOf(base: string, folder: string): Io<Table | undefined> {
	for (const name of yield* namesOf(`${base}/${folder}`)) {
		const head = yield* headAt(`${base}/${folder}/${name}`)
		if (head && receiptsFolder(head) === folder) return { keyspace: head.keyspace, table: head.table }
	}
	return undefined
}

function describe({ tag, id, sealedAt, moving, source }: ReceiptHead): ClearedSnapshot {
	return {
		tag,
		receiptId: id,
		sealedMs: Date.parse(sealedAt),
		moving: moving ?? false,
		places: [...new Set(source.folders.map(({ dataDirectory }) => dataDirectory))].map((dataDirectory) => ({
			dataDirectory,
			parents: source.parents?.find((one) => one.dataDirectory === dataDirectory),
		})),
	}
}

/** An unmounted disk leaves an empty folder, or another one's: the keyspace has to hold a table that the haven knows. */
function* sightIn(dataDirectory: string, table: Table, known: ReadonlySet<string>): Io<Sight> {
	const unknown = (problem: string): Sight => ({ dataDirectory, there: 'unknown', problem })
	try {
		return yield* withOpen(pathOf(dataDirectory), constants.O_RDONLY | constants.O_DIRECTORY, function* (folder) {
			const keyspace = yield* openFolderOrOwnLink(folder, table.keyspace)
			if (keyspace === undefined) return unknown(`${dataDirectory} has no folder of the keyspace`)
			try {
				const tables = yield* namesIn(keyspace)
				if (!tables.some((name) => known.has(safeName(name))))
					return unknown(`${dataDirectory}/${table.keyspace} has none of the tables that the haven knows`)
				const parent = { dataDirectory, keyspace: yield* identifyFolder(keyspace) }
				const seen = yield* seenOf(keyspace, table.table)
				return seen ? { ...parent, there: 'table' as const, ...seen } : { ...parent, there: 'no table' as const }
			} finally {
				yield* close(keyspace)
			}
		})
	} catch (error) {
		if (hasCode(error)) return unknown(`${dataDirectory} can’t be looked into (${error.code})`)
		throw error
	}
}

/** A table's folder and all names among its snapshots, whatever they lead to; undefined where there is no such table. */
function* seenOf(keyspace: number, name: string): Io<{ table: FolderIdentity; tags: string[] } | undefined> {
	const folder = yield* openFolderOrOwnLink(keyspace, name)
	if (folder === undefined) return undefined
	try {
		const table = yield* identifyFolder(folder)
		const snapshots = yield* openFolderIfThere(folder, 'snapshots')
		if (snapshots === undefined) return { table, tags: [] }
		try {
			return { table, tags: yield* namesIn(snapshots) }
		} finally {
			yield* close(snapshots)
		}
	} finally {
		yield* close(folder)
	}
}

function receiptName(tag: string): string {
	return `${safeName(tag)}.json`
}

function* receiptNames(base: string, table: Table): Io<string[]> {
	return (yield* namesOf(`${base}/${receiptsFolder(table)}`)).filter((name) => name.endsWith('.json'))
}

/** Undefined where it has gone meanwhile, or does not hold. */
function* headAt(path: string): Io<ReceiptHead | undefined> {
	const bytes = yield* recordBytes(path, RECEIPT_BYTES_MAX)
	return bytes && readReceiptHead(bytes)
}

function* namesOf(folder: string): Io<string[]> {
	try {
		return yield* readdir(folder)
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
		throw error
	}
}
