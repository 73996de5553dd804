import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/**
 * The tables of a keyspace by their names, and the snapshots of each with their number of files, over all roots: data
 * directories, or a haven's data/.
 */
export function listSnapshots(roots, keyspace) {
	const tables = new Map()
	for (const { table, tag, files } of roots.flatMap((root) => snapshotFolders(join(root, keyspace)))) {
		const name = table.replace(/-[0-9a-f]{32}$/, '')
		const snapshots = tables.get(name) ?? new Map()
		tables.set(
			name,
			snapshots.set(`${table}/${tag}`, { tag, files: files + (snapshots.get(`${table}/${tag}`)?.files ?? 0) }),
		)
	}
	return [...tables]
		.map(([name, snapshots]) => ({ name, snapshots: [...snapshots.values()].sort(byTag) }))
		.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function snapshotFolders(keyspace) {
	return foldersIn(keyspace).flatMap((table) =>
		foldersIn(join(keyspace, table, 'snapshots')).map((tag) => {
			return { table, tag, files: filesIn(join(keyspace, table, 'snapshots', tag)).length }
		}),
	)
}

function byTag(a, b) {
	return a.tag < b.tag ? -1 : 1
}

/** Compares every Data.db with the CRC-32 that Cassandra left beside it. */
export function checkDigests(root) {
	const data = filesIn(root).filter((path) => path.endsWith('-Data.db'))
	const wrong = data.filter((path) => {
		const digest = readFileSync(path.replace(/Data\.db$/, 'Digest.crc32'), 'utf8')
		return crc32(readFileSync(path)) !== Number(digest)
	})
	return { checked: data.length, wrong }
}

/** The keyspaces that users made, where this folder is a data directory; else none. */
export function ownKeyspaces(root) {
	return foldersIn(root).filter((name) => !/^system(_|$)/.test(name))
}

function filesIn(folder) {
	return readdirSync(folder, { withFileTypes: true, recursive: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
}

function foldersIn(folder) {
	try {
		const entries = readdirSync(folder, { withFileTypes: true })
		return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
	} catch {
		return []
	}
}
