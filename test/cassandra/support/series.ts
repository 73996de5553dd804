import { setTimeout as sleep } from 'node:timers/promises'
import type { CassandraNode } from './node.ts'

/**
 * Tables whose rows are written one after another, from 0 on: a snapshot of one has to hold the rows from 0 to some number
 * without a gap, and that number lies between those written before it was begun and those begun when it had ended.
 */
export interface Series {
	keyspace: string
	/** For each table, the number of rows that Cassandra has confirmed. */
	written: Map<string, number>
	/** For each table, the number of rows that were handed to Cassandra. */
	begun: Map<string, number>
}

/** Makes a keyspace with so many such tables, each compacted as soon as it has three SSTables. */
export async function createSeries({ cql }: CassandraNode, keyspace: string, count: number): Promise<Series> {
	await cql(`CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
	const tables = Array.from({ length: count }, (_, i) => `t${String(i).padStart(2, '0')}`)
	const eager = `compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': 3}`
	// Side by side: the driver waits for agreement after each, which one node alone has at once.
	await Promise.all(
		tables.map((name) => cql(`CREATE TABLE ${keyspace}.${name} (id int PRIMARY KEY, line text) WITH ${eager}`)),
	)
	const none = () => new Map(tables.map((name) => [name, 0]))
	return { keyspace, written: none(), begun: none() }
}

/** Writes the next row of each table. */
export async function writeNext({ cql }: CassandraNode, { keyspace, written, begun }: Series): Promise<void> {
	const next = async (name: string, id: number) => {
		begun.set(name, id + 1)
		await cql(`INSERT INTO ${keyspace}.${name} (id, line) VALUES (?, ?)`, [id, lineOf(name, id)])
		written.set(name, id + 1)
	}
	await Promise.all([...written].map(([name, id]) => next(name, id)))
}

/** Writes on and on, with pauses, until the function that it hands back is called; that one throws what failed meanwhile. */
export function keepWriting(node: CassandraNode, series: Series): () => Promise<void> {
	const stopping = new AbortController()
	const write = async () => {
		while (!stopping.signal.aborted) {
			await writeNext(node, series)
			await sleep(PAUSE_MS)
		}
	}
	const writing = write().then(
		() => undefined,
		(error: unknown) => ({ error }),
	)
	return async () => {
		stopping.abort()
		const failed = await writing
		if (failed) throw failed.error
	}
}

/** How many rows a table holds, which have to be the first so many, each as it was written. */
export async function firstRows({ cql }: CassandraNode, { keyspace }: Series, name: string): Promise<number> {
	const rows = await cql(`SELECT id, line FROM ${keyspace}.${name}`)
	const found = new Map(rows.map((row) => [Number(row['id']), row['line']]))
	for (let id = 0; id < rows.length; id++) {
		if (found.get(id) !== lineOf(name, id)) throw new Error(`${name} has ${rows.length} rows, and not row ${id}`)
	}
	return rows.length
}

const PAUSE_MS = 300

function lineOf(name: string, id: number): string {
	return `Line ${id} of ${name}: ${(id * 2_654_435_761).toString(36).repeat(8)}`
}
