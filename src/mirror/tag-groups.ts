import { tableName } from '../cassandra/find-tables.ts'
import type { SealedHead } from '../haven/read-heads.ts'

/** A tag of a keyspace, over all its tables. */
export interface TagGroup {
	keyspace: string
	tag: string
	/** When the first of its snapshots was taken, ISO 8601. */
	takenAt: string
	/** Its snapshots, by table. */
	heads: SealedHead[]
	/** Folders of tables that existed then, as far as the haven knows, and that it has no snapshot of this tag of. */
	lacking: string[]
}

/**
 * Groups snapshots by keyspace and tag, oldest first, and finds the gaps. A table existed at a time if it has a snapshot
 * taken by then and another one taken then or later. For the first tag after its last snapshot it is told too, unless
 * Cassandra kept a snapshot of its being dropped: later ones take it for dropped.
 */
export function groupByTag(heads: readonly SealedHead[]): TagGroup[] {
	const keyspaces = Map.groupBy(heads, ({ keyspace }) => keyspace)
	return [...keyspaces.keys()].sort().flatMap((keyspace) => groupsOf(keyspace, keyspaces.get(keyspace) ?? []))
}

function groupsOf(keyspace: string, heads: SealedHead[]): TagGroup[] {
	const groups = [...Map.groupBy(heads, ({ tag }) => tag)].map(([tag, ofTag]): TagGroup => {
		const sorted = ofTag.sort((a, b) => compare(a.table, b.table))
		return { keyspace, tag, takenAt: earliest(sorted), heads: sorted, lacking: [] }
	})
	groups.sort((a, b) => compare(a.takenAt, b.takenAt) || compare(a.tag, b.tag))
	const whole = groups.filter(({ tag }) => !isOfOneTable(tag))
	for (const [table, life] of livesOf(groups, whole)) {
		for (const group of whole.slice(life.first, life.last + 1)) if (!life.tags.has(group.tag)) group.lacking.push(table)
	}
	for (const { lacking } of groups) lacking.sort()
	return groups
}

/** Cassandra's own snapshots of a table that is truncated or dropped. */
function isOfOneTable(tag: string): boolean {
	return /^(truncated|dropped)-\d+-/.test(tag)
}

/** From which to which of the groups a table existed. */
interface Life {
	first: number
	last: number
	tags: Set<string>
}

function livesOf(all: TagGroup[], whole: TagGroup[]): Map<string, Life> {
	const lives = new Map<string, Life>()
	for (const [index, { heads, tag }] of whole.entries()) {
		for (const { table } of heads) {
			const life = lives.get(table) ?? { first: index, last: index, tags: new Set() }
			life.tags.add(tag)
			// One tag more than it has: what it lacks there may be a failure of today.
			life.last = index + 1
			lives.set(table, life)
		}
	}
	for (const { tag, heads } of all) {
		for (const { table } of tag.startsWith('dropped-') && isOfOneTable(tag) ? heads : []) {
			const life = lives.get(table)
			if (life) life.last--
		}
	}
	return lives
}

function earliest(heads: SealedHead[]): string {
	return heads.reduce((least, { takenAt }) => (takenAt < least ? takenAt : least), heads[0]?.takenAt ?? '')
}

/** `orders`, or with its id where another table of the same name is among them. */
export function tableNames(folders: Iterable<string>): Map<string, string> {
	const counts = new Map<string, number>()
	const unique = [...new Set(folders)]
	for (const folder of unique) counts.set(tableName(folder), (counts.get(tableName(folder)) ?? 0) + 1)
	return new Map(
		unique.map((folder) => [folder, (counts.get(tableName(folder)) ?? 0) > 1 ? folder : tableName(folder)]),
	)
}

function compare(one: string, other: string): number {
	return one < other ? -1 : one > other ? 1 : 0
}
