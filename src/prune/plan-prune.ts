import { tableName } from '../cassandra/find-tables.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { decideKept, type KeepRules } from './keep.ts'

/** A tag, and what becomes of its snapshots. */
export interface PlannedTag {
	tag: string
	/** The latest that one of its snapshots was taken, ms since the epoch. */
	takenAtMs: number
	/** The rules that keep it; none where it goes. */
	reasons: string[]
	/** Its snapshots that stay: all of them, or those that are the last of their tables. */
	kept: SealedHead[]
	removed: SealedHead[]
}

/** Tags that the rules are applied to together, newest first. */
export interface PlannedGroup {
	/** `shop`; of Cassandra's own snapshots of a table before a truncate or drop, the table: `shop.orders`. */
	name: string
	tags: PlannedTag[]
}

/**
 * Plans which of the sealed snapshots are to be removed. A group is a keyspace: a tag of it stays or goes with all of its
 * tables. The snapshots that Cassandra takes by itself before a truncate or a drop are a group for each table, so that
 * they don't use up the counts of those that somebody took. Unless `allowEmpty`, the newest snapshot of each table stays
 * that is whole, or where none is, the newest.
 */
export function planPrune(heads: readonly SealedHead[], rules: KeepRules, allowEmpty: boolean): PlannedGroup[] {
	const groups = Map.groupBy(heads, groupOf)
	const planned = [...groups.keys()].sort().map(
		(name): PlannedGroup => ({
			name,
			tags: planGroup(groups.get(name) ?? [], rules),
		}),
	)
	if (!allowEmpty) keepLastOnes(planned)
	return planned
}

function groupOf({ keyspace, table, tag }: SealedHead): string {
	return /^(truncated|dropped)-\d+-/.test(tag) ? `${keyspace}.${tableName(table)}` : keyspace
}

function planGroup(heads: SealedHead[], rules: KeepRules): PlannedTag[] {
	const tags = [...Map.groupBy(heads, ({ tag }) => tag)].map(([tag, ofTag]) => ({
		tag,
		takenAtMs: Math.max(...ofTag.map(takenAtMs)),
		heads: ofTag,
	}))
	return [...decideKept(tags, rules)].map(([{ tag, takenAtMs, heads }, reasons]) => {
		const [kept, removed] = reasons.length > 0 ? [heads, []] : [[], heads]
		return { tag, takenAtMs, reasons, kept, removed }
	})
}

function keepLastOnes(groups: PlannedGroup[]): void {
	const tags = groups.flatMap((group) => group.tags)
	const safe = new Set(tags.flatMap(({ kept }) => kept.filter(isWhole).map(tableOf)))
	const all = tags.flatMap((tag) => tag.removed.map((head) => ({ tag, head })))
	const newestFirst = all.sort((a, b) => takenAtMs(b.head) - takenAtMs(a.head))
	const keepNewest = (isMeant: (head: SealedHead) => boolean) => {
		for (const { tag, head } of newestFirst) {
			if (safe.has(tableOf(head)) || !isMeant(head)) continue
			safe.add(tableOf(head))
			tag.kept.push(head)
			tag.removed.splice(tag.removed.indexOf(head), 1)
		}
	}
	keepNewest(isWhole)
	// A table that has none that is whole: one that is damaged, or not proven, is better than nothing.
	for (const { kept } of tags) for (const head of kept) safe.add(tableOf(head))
	keepNewest(() => true)
}

function isWhole({ state }: SealedHead): boolean {
	return state === 'whole'
}

function tableOf({ keyspace, table }: SealedHead): string {
	return `${keyspace}/${table}`
}

function takenAtMs({ takenAt, sealedAt }: SealedHead): number {
	const ms = Date.parse(takenAt)
	return Number.isNaN(ms) ? Date.parse(sealedAt) : ms
}
