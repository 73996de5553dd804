import { ifNotExists, inOrder, parseSchema } from '../cassandra/schema.ts'
import { failure } from '../errors.ts'
import type { Haven } from '../haven/haven.ts'
import { keyspacePart } from './schema-plan.ts'
import { type SchemaWay, schemaTarget } from './schema-target.ts'
import { readSchema } from './snapshot-schema.ts'
import type { PlannedTable } from './types.ts'

/** What is to be made, and by what. */
interface TableMaking {
	haven: Haven
	table: PlannedTable
	/** The node lacks the keyspace too. */
	withKeyspace: boolean
	way: SchemaWay
	signal: AbortSignal
}

/** Makes a table that the node lacks, its types and indexes, and its keyspace where that is missing and was kept. */
export async function createTable({ haven, table: { head }, withKeyspace, way, signal }: TableMaking): Promise<void> {
	const keyspace = withKeyspace ? await keyspacePart(haven, head) : undefined
	const parts = [...(keyspace ? [keyspace] : []), ...parseSchema(await readSchema(haven, head))]
	const said = await schemaTarget(way, signal).run(inOrder(parts).map(({ cql }) => ifNotExists(cql)))
	if (said.length === 0) return
	const remedy =
		withKeyspace && !keyspace
			? `; its keyspace ${head.keyspace} is gone, and the haven has no CREATE KEYSPACE: make it first`
			: ''
	throw failure(`the table could not be made${remedy}`, said.join('\n'))
}
