import type { Haven } from '../haven/haven.ts'
import { thisMachine } from '../haven/machine.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { Catalog } from '../mirror/read-catalog.ts'
import { type Candidate, type Choice, nameOf } from './choose.ts'
import type { ChooseOptions } from './types.ts'

interface Found {
	choice: Choice<SealedHead>
	catalog: Catalog
	options: ChooseOptions
	haven: Pick<Haven, 'record'>
}

/** What an operator should know before a restore, each a sentence. */
export function warningsOf({ choice, catalog, options, haven }: Found): string[] {
	const { chosen, lacking, passedBy, otherIds } = choice
	return [
		...foreign(haven),
		...unproven(chosen),
		...lacking.map(
			({ keyspace, name, newest }) =>
				`${keyspace}.${name} lacks the tag, though it was there then; its newest snapshot before is ${said(newest)}`,
		),
		...passedBy.map(
			({ chosen: one, newer }) =>
				`${full(one)} has a newer snapshot, ${said(newer)}, which was not taken of all tables; name the table to get that one`,
		),
		...otherIds.map(
			({ chosen: one, other }) =>
				`${full(one)}: the tag is there of another table of that name too, ${other.table}, taken ${other.takenAt}; the newer one is restored`,
		),
		...('at' in options.when ? catalog.bad : []).map(
			({ path, reason }) => `the receipt ${path} does not count: ${reason}`,
		),
	]
}

function foreign({ record: { owner } }: Found['haven']): string[] {
	if (owner.machine === thisMachine()) return []
	return [
		`the haven is another node’s, ${owner.host}: it has the rows of that node’s tokens. nodetool import refuses those that are not this node’s; sstableloader sends each row where it belongs`,
	]
}

function unproven(chosen: SealedHead[]): string[] {
	const found = chosen.filter(({ state }) => state === 'unproven')
	if (found.length === 0) return []
	return [`no complete manifest proved that Cassandra had finished them: ${found.map(full).join(', ')}`]
}

function full(candidate: Candidate): string {
	return `${candidate.keyspace}.${nameOf(candidate)}`
}

function said({ tag, takenAt }: Candidate): string {
	return `${tag}, taken ${takenAt}`
}
