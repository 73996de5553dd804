import type { CqlPlace } from '../cassandra/cql-place.ts'
import { parseSchema, type SchemaPart } from '../cassandra/schema.ts'
import { columnDifference } from '../cassandra/schema-difference.ts'
import type { Haven } from '../haven/haven.ts'
import { nameOf } from './choose.ts'
import { schemaTarget } from './schema-target.ts'
import { readSchema } from './snapshot-schema.ts'
import type { PlannedTable } from './types.ts'

/** Warns of tables, and of types, that are not as they were when their snapshots were taken, where the node can be asked. */
export async function schemaWarnings(
	haven: Haven,
	tables: PlannedTable[],
	cql: CqlPlace | undefined,
	signal: AbortSignal,
): Promise<string[]> {
	if (!cql || tables.length === 0) return []
	const there = await schemaTarget({ cql }, signal).current()
	const warnings = new Set<string>()
	for (const { head, place } of tables) {
		const schema = await readSchema(haven, head).catch(() => '')
		for (const wanted of parseSchema(schema)) {
			const isTable = wanted.kind === 'table' && wanted.name === nameOf(head)
			const name = isTable ? place.name : wanted.name
			const found = there.find((part) => isSame(part, { ...wanted, keyspace: place.keyspace, name }))
			const difference = found && columnDifference(wanted.cql, found.cql)
			if (difference === undefined || (wanted.kind !== 'table' && wanted.kind !== 'type')) continue
			warnings.add(`the ${wanted.kind} ${place.keyspace}.${name} is not as in the snapshot ${head.tag}: ${difference}`)
		}
	}
	return [...warnings]
}

function isSame(one: SchemaPart, other: Pick<SchemaPart, 'kind' | 'keyspace' | 'name'>): boolean {
	return one.kind === other.kind && one.keyspace === other.keyspace && one.name === other.name
}
