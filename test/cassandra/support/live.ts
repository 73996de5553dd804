import { linkSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { findTables, tableName } from '../../../src/cassandra/find-tables.ts'
import type { TableLocation } from '../../../src/cassandra/list-snapshot.ts'
import { findLive, type LiveSSTables } from '../../../src/cassandra/live-sstables.ts'
import { lookAtLive } from '../../../src/cassandra/look-at-live.ts'
import { hasCode, runSync } from '../../../src/files/io.ts'
import type { CassandraNode } from './node.ts'

/** What we say of a table, or of one of its secondary indexes: paths of files. */
export interface Said {
	live: string[]
	/** Temporary and obsolete ones. */
	doomed: string[]
	/** What is neither. */
	others: string[]
	logs: LiveSSTables['logs']
}

/** The folders that tables of this name have. */
export function locate({ dataDirectories }: CassandraNode, keyspace: string, name: string): TableLocation[] {
	return runSync(findTables(dataDirectories, [keyspace])).tables.filter(({ table }) => tableName(table) === name)
}

/** What we say now; looks until there is an answer. */
export function say(location: TableLocation, index = ''): Said {
	for (;;) {
		const listing = runSync(lookAtLive(location))
		if (!listing) continue
		const said: Said = { live: [], doomed: [], others: [], logs: [] }
		const { sstables, logs } = findLive(listing)
		for (const { directory, prefix, state, files } of sstables) {
			const slash = prefix.lastIndexOf('/')
			if (prefix.slice(0, Math.max(0, slash)) !== index) continue
			const place = join(listing.dataDirectories[directory] ?? '', location.keyspace, location.table, index)
			const paths = files.map((file) => join(place, file.name))
			if (state === 'live') said.live.push(...paths)
			else if (state === 'temporary' || state === 'obsolete') said.doomed.push(...paths)
			else said.others.push(...paths)
		}
		said.logs = logs
		return said
	}
}

/** What Cassandra's own sstableutil says of a table; it knows nothing of secondary indexes. */
export async function sstableutil(node: CassandraNode, type: 'final' | 'tmp', keyspace: string, table: string) {
	const lines = (await node.tool('StandaloneSSTableUtil', '-t', type, keyspace, table)).split('\n')
	return lines.filter((line) => line.startsWith('/') && !line.endsWith('.tmp')).sort()
}

/** Hard-links these files into a new folder; false where one has gone by then. */
export function linkLive(live: string[], folder: string): boolean {
	mkdirSync(folder, { recursive: true })
	try {
		for (const path of live) linkSync(path, join(folder, basename(path)))
		return true
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return false
		throw error
	}
}

/** The Data.db files, of these, that are not what their Digest.crc32 says. */
export function wrongDigests(files: string[]): string[] {
	return files
		.filter((path) => path.endsWith('-Data.db'))
		.filter((path) => {
			const digest = join(dirname(path), basename(path).replace(/Data\.db$/, 'Digest.crc32'))
			return crc32(readFileSync(path)) !== Number(readFileSync(digest, 'utf8'))
		})
}
