import { homedir } from 'node:os'
import { readCassandraYaml } from '../cassandra/cassandra-yaml.ts'
import { tableName } from '../cassandra/find-tables.ts'
import { runAsync } from '../files/io.ts'
import { findSealedTables, findTags, type SealedTable } from '../haven/sealed-names.ts'
import type { Candidate, Wanted } from './completion-wanted.ts'
import { nodePlaceholders, resolveHavenPath } from './haven-path.ts'
import { parseArguments } from './parse-arguments.ts'
import { compileTables } from './selection.ts'

type HavenWanted = Extract<Wanted, { rest: string[] }>

/** The names of a haven that may stand there, by those of its receipts alone; none where none is named. */
export async function havenWords({ kind, rest, flags }: HavenWanted, typed: string): Promise<Candidate[]> {
	const { values, positionals } = parseArguments(rest, flags)
	const haven = values['snapshot-dir']
	if (typeof haven !== 'string') return []
	const base = await havenPath(haven, values['cassandra-yaml'])
	if (kind === 'tags') {
		const wants = positionals.length === 0 ? () => true : compileTables(positionals)
		const tables = await runAsync(findSealedTables(base))
		const wanted = tables.filter(({ keyspace, table }) => wants(keyspace, tableName(table)))
		return words((await runAsync(findTags(base, wanted))).flat())
	}
	const tables = (await runAsync(findSealedTables(base))).filter(({ keyspace }) =>
		keyspace.startsWith(typed.split('.')[0] ?? ''),
	)
	const keyspaces = words(tables.map(({ keyspace }) => keyspace))
	if (kind === 'keyspaces') return keyspaces
	return typed.includes('.')
		? words(tables.map(fullName))
		: keyspaces.length === 1
			? [...keyspaces, ...words(tables.map(fullName))]
			: keyspaces
}

function fullName({ keyspace, table }: SealedTable): string {
	return `${keyspace}.${tableName(table)}`
}

function words(names: string[]): Candidate[] {
	return [...new Set(names)].sort().map((word) => ({ word }))
}

/** As the commands find it; the shell has not expanded a ~ yet. */
async function havenPath(haven: string, yaml: unknown): Promise<string> {
	const { clusterName } = typeof yaml === 'string' ? await readCassandraYaml(yaml) : { clusterName: undefined }
	const template = haven.replace(/^~(?=\/|$)/, homedir())
	return await resolveHavenPath(template, nodePlaceholders(clusterName, process.env), process.cwd())
}
