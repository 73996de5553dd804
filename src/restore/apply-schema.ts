import { ifNotExists, partKey, type SchemaPart } from '../cassandra/schema.ts'
import { schemaDifference } from '../cassandra/schema-difference.ts'
import type { SchemaTarget } from './schema-target.ts'

/** What became of a part of a schema. */
export type AppliedPart =
	| { part: SchemaPart; outcome: 'made' | 'there already' }
	/** It is there, and was left as it is. */
	| { part: SchemaPart; outcome: 'differs'; difference: string }
	| { part: SchemaPart; outcome: 'failed' }

/** What became of a schema, and what was said where something failed. */
export interface AppliedSchema {
	parts: AppliedPart[]
	said: string[]
}

/** What each part comes to on a node that has this schema; `made`: it lacks it. */
export function compareSchema(wanted: SchemaPart[], there: SchemaPart[]): AppliedPart[] {
	const known = new Map(there.map((part) => [partKey(part), part]))
	return wanted.map((part) => {
		const found = known.get(partKey(part))
		if (!found) return { part, outcome: 'made' }
		const difference = schemaDifference(part, found)
		return difference === undefined ? { part, outcome: 'there already' } : { part, outcome: 'differs', difference }
	})
}

/**
 * Makes what a node lacks of a schema, in its order, and leaves alone what is there. Whether it was made is seen by what
 * the node has then. Throws where the node can't be asked.
 */
export async function applySchema(wanted: SchemaPart[], target: SchemaTarget): Promise<AppliedSchema> {
	const before = compareSchema(wanted, await target.current())
	const lacking = before.filter(({ outcome }) => outcome === 'made')
	if (lacking.length === 0) return { parts: before, said: [] }
	const said = await target.run(lacking.map(({ part }) => ifNotExists(part.cql)))
	const there = new Set((await target.current()).map(partKey))
	const parts = before.map((one) =>
		there.has(partKey(one.part)) ? one : { part: one.part, outcome: 'failed' as const },
	)
	return { parts, said }
}
