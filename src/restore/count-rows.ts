import type { CqlPlace } from '../cassandra/cql-place.ts'
import { withCql } from '../cassandra/cql-session.ts'
import type { TablePlace } from './places.ts'

/**
 * Has the node count a table's rows, over the whole ring, each of them read at one replica: on a large table that takes
 * as long as reading it. Throws a failure where the node can't be asked, or does not answer in time.
 */
export async function countRows(
	place: CqlPlace,
	{ keyspace, name }: Pick<TablePlace, 'keyspace' | 'name'>,
	signal: AbortSignal,
): Promise<number> {
	const statement = `SELECT COUNT(*) AS rows FROM "${keyspace}"."${name}"`
	const [row] = await withCql(place, signal, ({ run }) => run(statement))
	return Number(String(row?.['rows']))
}
