import { type SchemaPart, unquoted } from './schema.ts'
import { inBrackets, splitCql, splitList } from './split-cql.ts'

/**
 * In what a part of a schema that is there differs from the one that is wanted, for people; undefined where in nothing
 * that counts. A table's id does not.
 */
export function schemaDifference(wanted: SchemaPart, there: SchemaPart): string | undefined {
	if (plain(wanted.cql) === plain(there.cql)) return undefined
	const columns =
		wanted.kind === 'table' || wanted.kind === 'type' ? columnDifference(wanted.cql, there.cql) : undefined
	if (columns !== undefined) return columns
	if (wanted.kind === 'table')
		return optionsOf(wanted.cql) === optionsOf(there.cql) ? undefined : 'it has other options'
	return `it was ${oneLine(wanted.cql)} and is ${oneLine(there.cql)}`
}

/** In what the columns of a table, or the fields of a type, differ; undefined where in nothing. */
export function columnDifference(wanted: string, there: string): string | undefined {
	const [was, is] = [columnsOf(wanted), columnsOf(there)]
	const lacking = [...was].filter(([name]) => !is.has(name)).map(([name, type]) => `it lacks ${name} ${type}`)
	const other = [...was].flatMap(([name, type]) => {
		const now = is.get(name)
		return now === undefined || now === type ? [] : [`${name} is ${now}, and was ${type}`]
	})
	const more = [...is].filter(([name]) => !was.has(name)).map(([name, type]) => `it has ${name} ${type} more`)
	const found = [...lacking, ...other, ...more]
	return found.length === 0 ? undefined : found.join(', ')
}

/** The columns that a CREATE TABLE, or the fields that a CREATE TYPE makes, by name, and `PRIMARY KEY`; after what ALTER statements change. */
export function columnsOf(cql: string): Map<string, string> {
	const [create = '', ...alters] = splitCql(cql)
	const columns = new Map<string, string>()
	for (const item of splitList(inBrackets(create)?.inside ?? '')) {
		const key = /^PRIMARY\s+KEY\s*\((.*)\)$/is.exec(item)?.[1]
		if (key !== undefined) {
			columns.set('PRIMARY KEY', `(${oneLine(key)})`)
			continue
		}
		const [, name = '', type = ''] = /^(\w+|"(?:[^"]|"")+")\s+(.*)$/s.exec(item) ?? []
		const own = oneLine(type).replace(/ PRIMARY KEY$/i, '')
		columns.set(unquoted(name), own)
		if (own !== oneLine(type)) columns.set('PRIMARY KEY', `(${name})`)
	}
	for (const alter of alters) change(columns, alter)
	return columns
}

function change(columns: Map<string, string>, alter: string): void {
	const [, name] = /\sDROP\s+(\w+|"(?:[^"]|"")+")/i.exec(alter) ?? []
	if (name !== undefined) columns.delete(unquoted(name))
	const [, added, type = ''] = /\sADD\s+(\w+|"(?:[^"]|"")+")\s+([^;]*)/i.exec(alter) ?? []
	if (added !== undefined) columns.set(unquoted(added), oneLine(type))
}

/** Without what does not make another schema: the id, IF NOT EXISTS, blanks, the final semicolon. */
function plain(cql: string): string {
	return oneLine(cql)
		.replace(/\bIF NOT EXISTS /i, '')
		.replace(/\bID = [0-9a-f-]{36}( AND)? ?/i, '')
		.replace(/[; ]*$/, '')
}

function optionsOf(cql: string): string {
	return plain(inBrackets(splitCql(cql)[0] ?? '')?.rest ?? '')
}

function oneLine(text: string): string {
	return text.replace(/\s+/g, ' ').trim()
}
