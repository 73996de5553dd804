import type { CassandraNode } from './node.ts'

/** A table as it is now. */
export interface LiveTable {
	keyspace: string
	name: string
	/** Its folder, `<name>-<32 hex of its id>`. */
	table: string
	rows: number
}

/** One table's snapshot of one tag, and the rows that the table had then. */
export interface TakenSnapshot {
	keyspace: string
	table: string
	tag: string
	rows: number
}

/** Takes a snapshot of keyspaces by nodetool, and hands back what it must hold by Cassandra's word. */
export async function takeSnapshot(
	node: CassandraNode,
	tag: string,
	keyspaces: string[],
	flags: string[] = [],
): Promise<TakenSnapshot[]> {
	const tables = await liveTables(node, keyspaces)
	await node.nodetool('snapshot', '-t', tag, ...flags, '--', ...keyspaces)
	return tables.map(({ keyspace, table, rows }) => ({ keyspace, table, tag, rows }))
}

/** Does what makes Cassandra take a snapshot of a table by itself (truncate, drop), and hands back that one. */
export async function takenBy(
	node: CassandraNode,
	table: { keyspace: string; name: string },
	act: () => Promise<unknown>,
): Promise<TakenSnapshot> {
	const before = await listSnapshots(node)
	const [was] = (await liveTables(node, [table.keyspace])).filter(({ name }) => name === table.name)
	await act()
	const known = new Set(before.map((snapshot) => JSON.stringify(snapshot)))
	const added = (await listSnapshots(node)).filter((snapshot) => !known.has(JSON.stringify(snapshot)))
	const [taken] = added
	if (was === undefined || taken === undefined || added.length > 1 || taken.name !== table.name) {
		throw new Error(`Expected one new snapshot, of ${table.name}: ${JSON.stringify(added)}`)
	}
	return { keyspace: was.keyspace, table: was.table, tag: taken.tag, rows: was.rows }
}

/** The tables of keyspaces that are there now, with their rows counted. */
export async function liveTables({ cql }: CassandraNode, keyspaces: string[]): Promise<LiveTable[]> {
	const tables: LiveTable[] = []
	for (const keyspace of keyspaces) {
		const found = await cql('SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?', [keyspace])
		for (const row of found) {
			const name = String(row['table_name'])
			const [counted] = await cql(`SELECT COUNT(*) AS rows FROM "${keyspace}"."${name}"`)
			const table = `${name}-${String(row['id']).replaceAll('-', '')}`
			tables.push({ keyspace, name, table, rows: Number(counted?.['rows']) })
		}
	}
	return tables
}

/** What `nodetool listsnapshots` lists. A column begins where its heading does, since a tag may hold spaces. */
export async function listSnapshots(node: CassandraNode): Promise<{ keyspace: string; name: string; tag: string }[]> {
	const lines = (await node.nodetool('listsnapshots')).split('\n')
	const heading = lines.findIndex((line) => line.startsWith('Snapshot name'))
	if (heading < 0) return []
	const [keyspaceAt, nameAt, sizeAt] = ['Keyspace name', 'Column family name', 'True size'].map((column) =>
		(lines[heading] ?? '').indexOf(column),
	)
	const end = lines.indexOf('', heading)
	return lines.slice(heading + 1, end < 0 ? undefined : end).map((line) => ({
		tag: line.slice(0, keyspaceAt).trim(),
		keyspace: line.slice(keyspaceAt, nameAt).trim(),
		name: line.slice(nameAt, sizeAt).trim(),
	}))
}
