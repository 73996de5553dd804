import type { SealedHead } from '../haven/read-heads.ts'
import { tableNames } from '../mirror/tag-groups.ts'
import type { PlannedGroup, PlannedTag } from '../prune/plan-prune.ts'
import { bytes, count, counted } from '../report/amounts.ts'
import { type Line, resultLine } from '../report/messages.ts'
import { quoted } from '../report/printable.ts'
import { tableLines } from '../report/table.ts'
import { localTime } from '../report/times.ts'

const HEADINGS = ['', 'TAG', 'TAKEN', 'TABLES', 'SIZE', 'WHY']
const ALIGNMENTS = ['left', 'left', 'left', 'right', 'right', 'left'] as const

/** The lines that tell what becomes of each tag, and why. */
export async function planLines(groups: PlannedGroup[]): Promise<Line[]> {
	const lines: Line[] = []
	for (const { name, tags } of groups) {
		const [headings = '', ...rows] = await tableLines([HEADINGS, ...tags.flatMap(tagRows)], ALIGNMENTS)
		lines.push(resultLine('', quoted(name), 'plain'), resultLine('', `  ${headings}`, 'plain'), ...rows.map(tagLine))
	}
	return lines
}

function tagRows({ tag, takenAtMs, reasons, kept, removed }: PlannedTag): string[][] {
	const row = (what: string, heads: SealedHead[], why: string) => [
		what,
		quoted(tag),
		localTime(new Date(takenAtMs).toISOString()),
		count(heads.length),
		bytes(sum(heads)),
		why,
	]
	return [
		...(kept.length > 0 ? [row('keep', kept, reasons.length > 0 ? reasons.join(', ') : lastOnes(kept))] : []),
		...(removed.length > 0 ? [row('remove', removed, '')] : []),
	]
}

const NAMED_MAX = 3

function lastOnes(kept: SealedHead[]): string {
	const names = [...tableNames(kept.map(({ table }) => table)).values()]
	const more = names.length > NAMED_MAX ? ` and ${counted(names.length - NAMED_MAX, 'other')}` : ''
	return `the last of ${names.slice(0, NAMED_MAX).map(quoted).join(', ')}${more}`
}

function tagLine(row: string): Line {
	return resultLine('', `  ${row}`, 'plain')
}

/** The object that `--json` tells a tag by. */
export function tagObjects({ name, tags }: PlannedGroup): Record<string, unknown>[] {
	return tags.map(({ tag, takenAtMs, reasons, kept, removed }) => ({
		type: 'tag',
		group: name,
		tag,
		takenAt: new Date(takenAtMs).toISOString(),
		reasons,
		kept: kept.map(({ keyspace, table }) => `${keyspace}/${table}`),
		removed: removed.map(({ keyspace, table }) => `${keyspace}/${table}`),
		removedBytes: sum(removed),
	}))
}

/** How many tags stay and go; one of which only some tables stay counts as both. */
export function planCounts(groups: PlannedGroup[]): { kept: string; removed: string; bytes: number } {
	const tags = groups.flatMap((group) => group.tags)
	const told = (of: (tag: PlannedTag) => SealedHead[]) => {
		const some = tags.filter((tag) => of(tag).length > 0)
		return `${counted(some.length, 'tag')} (${counted(some.flatMap(of).length, 'snapshot')})`
	}
	return {
		kept: told(({ kept }) => kept),
		removed: told(({ removed }) => removed),
		bytes: sum(tags.flatMap(({ removed }) => removed)),
	}
}

function sum(heads: SealedHead[]): number {
	return heads.reduce((total, { byteCount }) => total + byteCount, 0)
}
