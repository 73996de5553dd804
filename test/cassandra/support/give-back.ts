import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CassandraNode } from './node.ts'
import { placeOf, type SnapshotName } from './proof.ts'
import { customerOf, totalOf } from './shop.ts'

/** The name of a table, of its folder's name. */
export function tableName(table: string): string {
	return table.replace(/-[0-9a-f]{32}$/, '')
}

/** All rows of a table, each as JSON, in a fixed order. */
export async function rowsOf({ cql }: CassandraNode, keyspace: string, table: string): Promise<string[]> {
	const rows = await cql(`SELECT JSON * FROM "${keyspace}"."${tableName(table)}"`)
	return rows.map((row) => String(row['[json]'])).sort()
}

/** Empties a table, and gives it the rows of a snapshot in the haven: `nodetool import` of a copy that it may change. */
export async function giveBack(node: CassandraNode, haven: string, snapshot: SnapshotName): Promise<void> {
	const name = tableName(snapshot.table)
	const staging = await mkdtemp(join(tmpdir(), 'snaphaven-staging-'))
	try {
		const folder = join(staging, snapshot.keyspace, name)
		await mkdir(folder, { recursive: true })
		await cp(placeOf(haven, snapshot), folder, { recursive: true, preserveTimestamps: true })
		await node.cql(`TRUNCATE "${snapshot.keyspace}"."${name}"`)
		const left = await rowsOf(node, snapshot.keyspace, snapshot.table)
		if (left.length > 0) throw new Error(`${name} has ${left.length} rows after TRUNCATE`)
		await node.nodetool('import', '--copy-data', snapshot.keyspace, name, folder)
	} finally {
		await rm(staging, { recursive: true, force: true })
	}
}

/** Which orders each index finds, by the value asked for, and which it must find of those that there are. */
export async function indexAnswers(node: CassandraNode, indexes: ('customer' | 'total')[]) {
	const all = (await node.cql('SELECT id FROM shop.orders')).map((row) => Number(row['id']))
	const found: Record<string, number[]> = {}
	const expected: Record<string, number[]> = {}
	for (const index of indexes) {
		const valueAt: (id: number) => string | number = index === 'customer' ? customerOf : totalOf
		for (const value of new Set(all.map(valueAt))) {
			const rows = await node.cql(`SELECT id FROM shop.orders WHERE ${index} = ?`, [value])
			found[`${index} = ${value}`] = rows.map((row) => Number(row['id'])).sort((a, b) => a - b)
			expected[`${index} = ${value}`] = all.filter((id) => valueAt(id) === value).sort((a, b) => a - b)
		}
	}
	return { orders: all.length, found, expected }
}
