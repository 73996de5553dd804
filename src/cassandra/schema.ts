import { inBrackets, splitCql, splitList } from './split-cql.ts'

/** What a statement of a schema makes. */
export type SchemaKind = 'keyspace' | 'type' | 'function' | 'aggregate' | 'table' | 'index' | 'view'

/** A part of a schema, and the CQL that makes it. Names are without quotes; of a function with the types of its arguments. */
export interface SchemaPart {
	kind: SchemaKind
	keyspace: string
	name: string
	/** A CREATE statement; of a table, ALTER statements may follow, which repeat what was dropped and added. */
	cql: string
}

/** What has to be there before what. */
const ORDER: SchemaKind[] = ['keyspace', 'type', 'function', 'aggregate', 'table', 'index', 'view']

/** The parts in an order in which they can be made: keyspaces first. Parts of a kind stay in theirs. */
export function inOrder(parts: SchemaPart[]): SchemaPart[] {
	return [...parts].sort((one, other) => ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind))
}

/** Names a part: two of the same key are the same thing. */
export function partKey({ kind, keyspace, name }: Pick<SchemaPart, 'kind' | 'keyspace' | 'name'>): string {
	return `${kind} ${keyspace}.${name}`
}

const NAME = String.raw`(?:\w+|"(?:[^"]|"")+")`
const MAKES = new RegExp(
	String.raw`^CREATE\s+(?:OR\s+REPLACE\s+)?(?:CUSTOM\s+)?(KEYSPACE|TYPE|FUNCTION|AGGREGATE|TABLE|MATERIALIZED\s+VIEW|INDEX)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:(${NAME})\s*\.\s*)?(${NAME})`,
	'i',
)
const ALTERS = new RegExp(String.raw`^ALTER\s+TABLE\s+(?:(${NAME})\s*\.\s*)?(${NAME})\s`, 'i')
const BASE = { index: 'ON', view: 'FROM' }

/**
 * The parts that a text makes, such as a snapshot's schema.cql or what cqlsh's DESCRIBE prints. What is neither a CREATE
 * statement of a schema nor an ALTER of a table before it is passed over.
 */
export function parseSchema(text: string): SchemaPart[] {
	const parts: SchemaPart[] = []
	for (const statement of splitCql(text)) {
		const at = statement.search(/^(CREATE|ALTER)\s/im)
		const cql = at === -1 ? '' : statement.slice(at)
		const altered = ALTERS.exec(cql)
		const table =
			altered &&
			parts.find((part) => part.kind === 'table' && isNamed(part, unquoted(altered[1]), unquoted(altered[2])))
		if (table) table.cql += `\n${cql}`
		else parts.push(...partOf(cql))
	}
	return parts
}

function isNamed(part: SchemaPart, keyspace: string, name: string): boolean {
	return part.name === name && (keyspace === '' || part.keyspace === keyspace)
}

function partOf(cql: string): SchemaPart[] {
	const [head = '', word = '', keyspace, name] = MAKES.exec(cql) ?? []
	if (head === '') return []
	const kind = (/^MATERIALIZED/i.test(word) ? 'view' : word.toLowerCase()) as SchemaKind
	const own = unquoted(name)
	if (kind === 'keyspace') return [{ kind, keyspace: own, name: own, cql }]
	const of = unquoted(keyspace)
	if (kind === 'index') return [{ kind, keyspace: of || (baseOf({ kind, cql })?.keyspace ?? ''), name: own, cql }]
	if (kind !== 'function' && kind !== 'aggregate') return [{ kind, keyspace: of, name: own, cql }]
	const types = splitList(inBrackets(cql)?.inside ?? '').map((argument) =>
		kind === 'function' ? argument.replace(new RegExp(`^${NAME}\\s+`), '') : argument,
	)
	return [{ kind, keyspace: of, name: `${own}(${types.join(', ')})`, cql }]
}

/** The table that an index or a view is of, without quotes; undefined of anything else. */
export function baseOf({
	kind,
	cql,
}: Pick<SchemaPart, 'kind' | 'cql'>): { keyspace: string; name: string } | undefined {
	if (kind !== 'index' && kind !== 'view') return undefined
	const found = new RegExp(String.raw`\s${BASE[kind]}\s+(?:(${NAME})\s*\.\s*)?(${NAME})`, 'i').exec(cql)
	return found ? { keyspace: unquoted(found[1]), name: unquoted(found[2]) } : undefined
}

/** A name as CQL writes it, without the quotes that it may have. */
export function unquoted(name = ''): string {
	return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/** A name as CQL has to write it: lower case, digits and _ stand as they are. */
export function quotedName(name: string): string {
	return /^[a-z][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** The CQL of a part, so that it leaves alone what is there already; ALTER statements after it are not made so. */
export function ifNotExists(cql: string): string {
	if (/^CREATE\s+(\w+\s+){1,3}?IF\s+NOT\s+EXISTS\s/i.test(cql)) return cql
	return cql.replace(
		/^(CREATE\s+(?:CUSTOM\s+)?(?:KEYSPACE|TYPE|FUNCTION|AGGREGATE|TABLE|MATERIALIZED\s+VIEW|INDEX)\s)\s*/i,
		'$1IF NOT EXISTS ',
	)
}
