import { tableName } from '../cassandra/find-tables.ts'
import type { ReceiptHead } from '../haven/receipt.ts'

/** What of a sealed snapshot is gone by here. */
export type Candidate = Pick<ReceiptHead, 'keyspace' | 'table' | 'tag' | 'takenAt' | 'state'>

/** Which snapshots are wanted. */
export type When =
	/** Those of a tag. */
	| { tag: string }
	/** The newest taken at or before this time, ms since the epoch. */
	| { at: number }

/** What was chosen of all that a haven has. */
export interface Choice<C extends Candidate> {
	/** One snapshot for each table's name. */
	chosen: C[]
	/** Of a tag for all tables, those that were there when it was taken and lack it, with their newest before it. */
	lacking: { keyspace: string; name: string; newest: C }[]
	/** With `at`: those that were chosen although the table has a newer one that was not taken of all tables. */
	passedBy: { chosen: C; newer: C }[]
	/** Other snapshots of a chosen tag and name, of a table with another id: dropped, and made again. */
	otherIds: { chosen: C; other: C }[]
}

/**
 * Chooses one snapshot for each table's name. With a time, a keyspace that is wanted as a whole gets the newest tag that
 * was taken of all its tables: these belong together. Tables without that tag get their newest one only if
 * it is newer, as that of a table made since. A table that is named gets its newest one.
 * @param isNamed Whether a table is asked for by its own name, not as one of its keyspace.
 */
export function chooseSnapshots<C extends Candidate>(
	all: readonly C[],
	when: When,
	isNamed: (keyspace: string, name: string) => boolean,
): Choice<C> {
	const choice: Choice<C> = { chosen: [], lacking: [], passedBy: [], otherIds: [] }
	for (const tables of groupBy(all, ({ keyspace }) => keyspace).values()) {
		if ('tag' in when) chooseTag(tables, when.tag, choice)
		else chooseAt(tables, when.at, isNamed, choice)
	}
	return choice
}

function chooseTag<C extends Candidate>(ofKeyspace: C[], tag: string, choice: Choice<C>): void {
	const tagged = ofKeyspace.filter((one) => one.tag === tag)
	if (tagged.length === 0) return
	for (const ofName of groupBy(tagged, nameOf).values()) {
		const [newest, ...others] = newestFirst(ofName)
		if (newest === undefined) continue
		choice.chosen.push(newest)
		choice.otherIds.push(...others.map((other) => ({ chosen: newest, other })))
	}
	const has = new Set(tagged.map(nameOf))
	choice.lacking.push(...thereAt(ofKeyspace, latestOf(tagged)).filter(({ name }) => !has.has(name)))
}

function chooseAt<C extends Candidate>(
	ofKeyspace: C[],
	at: number,
	isNamed: (keyspace: string, name: string) => boolean,
	choice: Choice<C>,
): void {
	const before = ofKeyspace.filter((one) => timeOf(one) <= at)
	const common = newestCommonTag(ofKeyspace, at)
	const commonAt = common ? latestOf(common) : Number.NEGATIVE_INFINITY
	for (const ofName of groupBy(before, nameOf).values()) {
		const [newest] = newestFirst(ofName)
		if (newest === undefined) continue
		const ofCommon = common?.find((one) => nameOf(one) === nameOf(newest))
		if (common === undefined || isNamed(newest.keyspace, nameOf(newest))) choice.chosen.push(newest)
		else if (ofCommon) {
			choice.chosen.push(ofCommon)
			if (newest !== ofCommon && timeOf(newest) > commonAt) choice.passedBy.push({ chosen: ofCommon, newer: newest })
		} else if (timeOf(newest) > commonAt) choice.chosen.push(newest)
	}
}

/** What Cassandra itself takes of a table before it truncates or drops it. */
const TAKEN_BY_ITSELF = /^(truncated|dropped)-\d+-/

/**
 * The snapshots of the newest tag, at or before a time, that was taken of the keyspace: no table lacks it that was there
 * then by its snapshots before and after, and most have it of those that had any snapshot by then and were not dropped.
 */
function newestCommonTag<C extends Candidate>(ofKeyspace: C[], at: number): C[] | undefined {
	const tags = [...groupBy(ofKeyspace, ({ tag }) => tag).values()]
		.filter((members) => latestOf(members) <= at && !TAKEN_BY_ITSELF.test(members[0]?.tag ?? ''))
		.sort((one, other) => latestOf(other) - latestOf(one))
	return tags.find((members) => {
		const names = new Set(members.map(nameOf))
		const takenAt = latestOf(members)
		const known = newestOfEach(ofKeyspace.filter((one) => timeOf(one) <= takenAt))
		const notDropped = known.filter(({ tag }) => !tag.startsWith('dropped-'))
		const hasAll = thereAt(ofKeyspace, takenAt).every(({ name }) => names.has(name))
		return hasAll && names.size > notDropped.length / 2
	})
}

function newestOfEach<C extends Candidate>(snapshots: C[]): C[] {
	return [...groupBy(snapshots, nameOf).values()].flatMap((ofName) => newestFirst(ofName).slice(0, 1))
}

/** Tables that have a snapshot from before a time, and one from after it: they were there then. The newest before it. */
function thereAt<C extends Candidate>(ofKeyspace: C[], at: number): { keyspace: string; name: string; newest: C }[] {
	return [...groupBy(ofKeyspace, nameOf)].flatMap(([name, ofName]) => {
		const [newest] = newestFirst(ofName.filter((one) => timeOf(one) <= at))
		const isLater = ofName.some((one) => timeOf(one) >= at)
		return newest && isLater ? [{ keyspace: newest.keyspace, name, newest }] : []
	})
}

/** The name of a snapshot's table. */
export function nameOf({ table }: Pick<Candidate, 'table'>): string {
	return tableName(table)
}

function timeOf({ takenAt }: Candidate): number {
	return Date.parse(takenAt)
}

function latestOf(members: Candidate[]): number {
	return Math.max(...members.map(timeOf))
}

function newestFirst<C extends Candidate>(snapshots: C[]): C[] {
	return [...snapshots].sort((one, other) => timeOf(other) - timeOf(one))
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
	const groups = new Map<string, T[]>()
	for (const item of items) {
		const group = groups.get(keyOf(item))
		if (group) group.push(item)
		else groups.set(keyOf(item), [item])
	}
	return groups
}
