import { CqlFailure, type CqlRow, type CqlSession } from './cql-session.ts'
import { quotedName, type SchemaKind, type SchemaPart, unquoted } from './schema.ts'
import { SYSTEM_KEYSPACES } from './snapshot.ts'

/** What a node's schema is, as far as it tells. */
interface DescribedSchema {
	parts: SchemaPart[]
	/** What it can't tell, each a sentence. */
	missing: string[]
}

/**
 * A node's schema in its own words, with tables' ids and dropped columns: DESCRIBE is the server's since 4.0. Of an older
 * one, the keyspaces alone: the rest stands in each snapshot's schema.cql. Of Cassandra's own keyspaces only the
 * statements that make them are kept, for their replication.
 */
export async function describeSchema({ run }: CqlSession): Promise<DescribedSchema> {
	try {
		const rows = await run('DESCRIBE FULL SCHEMA WITH INTERNALS')
		return { parts: rows.flatMap(partOf), missing: [] }
	} catch (error) {
		if (!(error instanceof CqlFailure && error.isUnknown)) throw error
		const missing = 'functions, aggregates and views: a node older than 4.0 does not describe its schema'
		return { parts: await keyspacesOf({ run }), missing: [missing] }
	}
}

const KINDS: Record<string, SchemaKind> = {
	keyspace: 'keyspace',
	type: 'type',
	function: 'function',
	aggregate: 'aggregate',
	table: 'table',
	index: 'index',
	materialized_view: 'view',
}

function partOf(row: CqlRow): SchemaPart[] {
	const [keyspace, name, cql] = [row['keyspace_name'], row['name'], row['create_statement']].map(String)
	const kind = KINDS[String(row['type'])]
	if (kind === undefined || keyspace === undefined || name === undefined || cql === undefined) return []
	// Virtual keyspaces are described within a comment.
	if (!cql.startsWith('CREATE')) return []
	const part = { kind, keyspace: unquoted(keyspace), name: unquoted(name), cql }
	return kind !== 'keyspace' && SYSTEM_KEYSPACES.has(part.keyspace) ? [] : [part]
}

/** The keyspaces by system_schema, which 3.0 and newer have. */
export async function keyspacesOf({ run }: CqlSession): Promise<SchemaPart[]> {
	const rows = await run('SELECT keyspace_name, durable_writes, replication FROM system_schema.keyspaces')
	return rows.map((row) => {
		const name = String(row['keyspace_name'])
		const replication = Object.entries((row['replication'] ?? {}) as Record<string, string>)
			.map(([key, value]) => [key, key === 'class' ? value.replace(/^org\.apache\.cassandra\.locator\./, '') : value])
			.map(([key, value]) => `${text(key)}: ${text(value)}`)
			.join(', ')
		const durable = row['durable_writes'] === false ? 'false' : 'true'
		const cql = `CREATE KEYSPACE ${quotedName(name)} WITH replication = {${replication}} AND durable_writes = ${durable};`
		return { kind: 'keyspace', keyspace: name, name, cql }
	})
}

function text(value = ''): string {
	return `'${value.replaceAll("'", "''")}'`
}
