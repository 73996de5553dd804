import { parseComponent } from '../cassandra/sstable.ts'
import type { Name } from '../files/names.ts'

/**
 * In which order files of SSTables come into a folder: SSTable by SSTable, the oldest first, and of each TOC.txt last, before
 * it Data.db, before that what says that an index is complete. Who looks in between finds whole SSTables wherever there is a
 * TOC.txt, and an earlier state of the table.
 * @param ages When the Data.db of each SSTable was written, by its prefix.
 */
export function comingOrder(ages: ReadonlyMap<Name, bigint>, one: Name, other: Name): number {
	return bySSTable(ages, one, other) || weightOf(one) - weightOf(other) || compare(one, other)
}

/**
 * In which order they go: the oldest SSTable first, since a younger one may hide what stands in it, and of each
 * TOC.txt first.
 */
export function goingOrder(ages: ReadonlyMap<Name, bigint>, one: Name, other: Name): number {
	return bySSTable(ages, one, other) || weightOf(other) - weightOf(one) || compare(one, other)
}

function bySSTable(ages: ReadonlyMap<Name, bigint>, one: Name, other: Name): number {
	const [first, second] = [prefixOf(one), prefixOf(other)]
	if (first === second) return 0
	const [age, otherAge] = [ages.get(first) ?? 0n, ages.get(second) ?? 0n]
	return age < otherAge ? -1 : age > otherAge ? 1 : compare(first, second)
}

function weightOf(path: Name): number {
	const component = parseComponent(path)?.component ?? ''
	if (component === 'TOC.txt') return 3
	if (component === 'Data.db') return 2
	return component.endsWith('Complete.db') ? 1 : 0
}

function prefixOf(path: Name): Name {
	return parseComponent(path)?.prefix ?? path
}

function compare(one: Name, other: Name): number {
	return one < other ? -1 : one > other ? 1 : 0
}
