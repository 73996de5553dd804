import { baseOf, inOrder, parseSchema, partKey, type SchemaPart } from '../cassandra/schema.ts'
import { SYSTEM_KEYSPACES } from '../cassandra/snapshot.ts'
import { failure, SnaphavenError } from '../errors.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { onHaven } from '../haven/trouble.ts'
import { nameOf } from './choose.ts'
import { type FoundFacts, findFacts } from './find-facts.ts'
import { chooseTables } from './plan.ts'
import { readSchema } from './snapshot-schema.ts'
import type { ChooseOptions } from './types.ts'

/** The schema that belongs to chosen snapshots. */
export interface SchemaPlan {
	/** In an order in which they can be made. */
	parts: SchemaPart[]
	/** Each keyspace, and the facts that its own statement is from, where there are any. */
	keyspaces: { keyspace: string; tags: string[]; found?: FoundFacts }[]
	/** What is missing of it, each a sentence. */
	warnings: string[]
}

/**
 * Puts the schema of chosen keyspaces and tables together: a table, its types and indexes by its snapshot's schema.cql,
 * which is of the very instant; what no snapshot has (keyspaces, functions, views, tables without a snapshot) by the
 * node's facts. Throws as chooseTables does.
 */
export async function planSchema(haven: Haven, options: ChooseOptions): Promise<SchemaPlan> {
	const { wanted, refused } = await chooseTables(haven, { ...options, acceptDamaged: true })
	const heads = wanted.filter(({ keyspace }) => !SYSTEM_KEYSPACES.has(keyspace))
	if (heads.length === 0) throw failure('no snapshot of a keyspace that users made is chosen')
	const warnings = refused.map(({ keyspace, name, reason }) => `${keyspace}.${name}: ${reason}`)
	const plan: SchemaPlan = { parts: [], keyspaces: [], warnings }
	for (const keyspace of new Set(heads.map((head) => head.keyspace))) {
		const own = heads.filter((head) => head.keyspace === keyspace)
		await addKeyspace(haven, options, keyspace, own, plan)
	}
	return { ...plan, parts: inOrder(plan.parts) }
}

async function addKeyspace(
	haven: Haven,
	options: ChooseOptions,
	keyspace: string,
	heads: SealedHead[],
	plan: SchemaPlan,
): Promise<void> {
	const { found, problems } = await keyspaceFacts(haven, keyspace, heads)
	plan.warnings.push(...problems)
	const known = found?.facts.schema?.filter((part) => part.keyspace === keyspace) ?? []
	const isWhole = !heads.some((head) => options.isNamed(keyspace, nameOf(head)))
	const parts = new Map(known.filter((part) => isWanted(part, options, isWhole)).map((part) => [partKey(part), part]))
	for (const head of [...heads].sort(oldestFirst)) {
		try {
			for (const part of parseSchema(await readSchema(haven, head))) parts.set(partKey(part), part)
		} catch (error) {
			if (!(error instanceof SnaphavenError)) throw error
			plan.warnings.push(
				`${error.message}${parts.has(partKey(tableOf(head))) ? ': the table is as the node told' : ''}`,
			)
		}
	}
	if (!found) plan.warnings.push(unknownKeyspace(keyspace))
	plan.parts.push(...parts.values())
	const tags = [...new Set(heads.map(({ tag }) => tag))]
	plan.keyspaces.push({ keyspace, tags, ...(found ? { found } : {}) })
}

function unknownKeyspace(keyspace: string): string {
	return `the haven does not have the CREATE KEYSPACE of ${keyspace}, nor its functions and views: these are kept by --cql of snaphaven sync`
}

/** The facts that have a keyspace, as they were for the newest of these snapshots. */
async function keyspaceFacts(haven: Haven, keyspace: string, heads: SealedHead[]) {
	const newest = [...heads].sort(oldestFirst).at(-1)
	if (!newest) return { problems: [] }
	const has = ({ schema = [] }: FoundFacts['facts']) =>
		schema.some((part) => part.kind === 'keyspace' && part.name === keyspace)
	return await runAsync(onHaven(findFacts(haven.base, newest, has)))
}

/** The statement that makes a snapshot's keyspace, undefined where it was not kept. */
export async function keyspacePart(haven: Haven, head: SealedHead): Promise<SchemaPart | undefined> {
	const { found } = await keyspaceFacts(haven, head.keyspace, [head])
	return found?.facts.schema?.find(({ kind, name }) => kind === 'keyspace' && name === head.keyspace)
}

/** Where tables are named one by one, functions and aggregates of their keyspace are not meant; types may be theirs. */
function isWanted(part: SchemaPart, { wantsTable }: ChooseOptions, isWhole: boolean): boolean {
	const { kind, keyspace, name } = part
	if (kind === 'keyspace' || kind === 'type') return true
	if (kind === 'function' || kind === 'aggregate') return isWhole
	return wantsTable(keyspace, baseOf(part)?.name ?? name)
}

function tableOf(head: SealedHead) {
	return { kind: 'table', keyspace: head.keyspace, name: nameOf(head) } as const
}

function oldestFirst(one: SealedHead, other: SealedHead): number {
	return Date.parse(one.takenAt) - Date.parse(other.takenAt)
}
