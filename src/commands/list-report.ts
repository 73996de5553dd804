import type { SealedHead } from '../haven/read-heads.ts'
import { type Stored, sumsOf } from '../mirror/stored-bytes.ts'
import { type TagGroup, tableNames } from '../mirror/tag-groups.ts'
import { bytes, count, counted } from '../report/amounts.ts'
import type { Colours } from '../report/colours.ts'
import { printable, quoted } from '../report/printable.ts'
import { tableLines } from '../report/table.ts'
import { localTime } from '../report/times.ts'
import type { Listing, ListOptions } from './list-run.ts'

const HEADINGS = ['TAG', 'TAKEN', 'TABLES', 'FILES', 'SIZE', 'STORED', 'STATE']
const ALIGNMENTS = ['left', 'left', 'right', 'right', 'right', 'right', 'left'] as const

/** The lines of all keyspaces, each with its tags, oldest first. */
export async function groupLines(listing: Listing, options: ListOptions, colours: Colours): Promise<string[]> {
	const keyspaces = Map.groupBy(listing.groups, ({ keyspace }) => keyspace)
	const lines: string[][] = []
	for (const [keyspace, groups] of keyspaces) {
		lines.push(await keyspaceLines(keyspace, groups, listing, options, colours))
	}
	return [...lines.flat(), ...unsealedLines(listing, colours)]
}

async function keyspaceLines(
	keyspace: string,
	groups: TagGroup[],
	listing: Listing,
	{ depth, bytes: exact }: ListOptions,
	colours: Colours,
): Promise<string[]> {
	const size = sizeWriter(exact)
	const told = (heads: SealedHead[]) => amounts(heads, listing.stored, size)
	const names = tableNames(foldersOf(groups))
	const rows = groups.flatMap((group) => [
		tagRow(group, told),
		...(depth === 'tags' ? [] : tableRows(group, names, told)),
	])
	const table = await tableLines([HEADINGS, ...rows], ALIGNMENTS)
	const lines = [colours.label('plain', printable(keyspace)), `  ${colours.faint(table[0] ?? '')}`]
	let next = 1
	for (const group of groups) {
		lines.push(`  ${coloured(table[next++] ?? '', stateOf(group.heads), colours)}`)
		if (group.lacking.length > 0) {
			lines.push(
				`    ${colours.label('doubtful', 'lacks:')} ${group.lacking.map((one) => shown(names, one)).join(', ')}`,
			)
		}
		for (const head of depth === 'tags' ? [] : group.heads) {
			lines.push(`  ${coloured(table[next++] ?? '', stateOf([head]), colours)}`)
			if (depth === 'files') lines.push(...(await fileLines(listing.files.get(head.id) ?? [], size)))
		}
	}
	return [...lines, '']
}

function foldersOf(groups: TagGroup[]): Set<string> {
	const folders = new Set<string>()
	for (const { heads, lacking } of groups) {
		for (const { table } of heads) folders.add(table)
		for (const table of lacking) folders.add(table)
	}
	return folders
}

type Told = (heads: SealedHead[]) => string[]

function tagRow({ tag, takenAt, heads, lacking }: TagGroup, told: Told): string[] {
	const all = heads.length + lacking.length
	const tables = lacking.length === 0 ? count(all) : `${count(heads.length)} of ${count(all)}`
	return [quoted(tag), localTime(takenAt), tables, ...told(heads), stateOf(heads)]
}

function tableRows({ heads }: TagGroup, names: Map<string, string>, told: Told): string[][] {
	return heads.map((head) => [
		`  ${shown(names, head.table)}`,
		localTime(head.takenAt),
		'',
		...told([head]),
		stateOf([head]),
	])
}

async function fileLines(
	files: { path: string; size: number; how: string; crc32: string; damage?: string }[],
	size: SizeWriter,
): Promise<string[]> {
	const rows = files.map(({ path, size: bytes, how, crc32, damage }) => [
		quoted(path),
		size(bytes),
		how,
		crc32,
		damage === undefined ? '' : printable(`damaged at the source: ${damage}`),
	])
	const lines = await tableLines(rows, ['left', 'right', 'left', 'left', 'left'])
	return lines.map((line) => `      ${line}`)
}

function amounts(heads: SealedHead[], stored: Stored, size: SizeWriter): string[] {
	const { files, bytes: all, storedBytes } = sumsOf(heads, stored)
	return [count(files), size(all), size(storedBytes)]
}

/** `sealed`, or how many are not just that: `1 damaged, 2 unproven`. */
function stateOf(heads: SealedHead[]): string {
	if (heads.every(({ state }) => state === 'whole')) return 'sealed'
	const doubtful = (['damaged', 'unproven'] as const).flatMap((state) => {
		const number = heads.filter((head) => head.state === state).length
		return number === 0 ? [] : [heads.length === 1 ? state : `${count(number)} ${state}`]
	})
	return doubtful.join(', ')
}

function coloured(line: string, state: string, colours: Colours): string {
	if (state === 'sealed') return line
	const kind = state.includes('damaged') ? 'bad' : 'doubtful'
	return line.slice(0, -state.length) + colours.label(kind, state)
}

function unsealedLines({ inDoubt, gathering }: Listing, colours: Colours): string[] {
	const line = (what: string) => (one: { keyspace: string; table: string; tag: string }) =>
		`${colours.label('doubtful', `${what}:`)} ${quoted(`${one.keyspace}/${one.table}/snapshots/${one.tag}`)}`
	return [...inDoubt.map(line('being sealed or removed')), ...gathering.map(line('gathering'))]
}

/** The last line: how much it is in all. */
export function summaryText({ groups, stored }: Listing, { bytes: exact, selection }: ListOptions): string {
	const heads = groups.flatMap(({ heads }) => heads)
	if (heads.length === 0) return selection.isAll ? 'nothing is sealed in this haven yet' : 'nothing that is sealed fits'
	const [files, size, storedSize] = amounts(heads, stored, sizeWriter(exact))
	const gaps = groups.filter(({ lacking }) => lacking.length > 0).length
	const lacking = gaps === 0 ? '' : `; ${counted(gaps, 'tag')} with gaps`
	return `${counted(groups.length, 'tag')}, ${counted(heads.length, 'snapshot')}, ${files} files, ${size}, stored ${storedSize}${lacking}`
}

type SizeWriter = (bytes: number) => string

function sizeWriter(exact: boolean): SizeWriter {
	return exact ? String : bytes
}

function shown(names: Map<string, string>, folder: string): string {
	return quoted(names.get(folder) ?? folder)
}
