import { failure, type SnaphavenError } from '../errors.ts'
import type { LeaseHolder } from '../haven/holder.ts'
import type { TagOptions } from '../mirror/find-tag.ts'
import type { TagLook } from '../mirror/tag-look.ts'
import type { SnapshotName } from '../mirror/types.ts'
import type { Waited } from '../mirror/wait-for-tag.ts'
import type { Unsealed } from '../mirror/why-unsealed.ts'
import { amount, counted, duration } from '../report/amounts.ts'
import { type Line, pathName, problemLine, resultLine, shortName } from '../report/messages.ts'
import { quoted } from '../report/printable.ts'

function nameOf({ location: { keyspace, table } }: TagLook, tag: string): SnapshotName {
	return { keyspace, table, tag }
}

/** The line that a table is told by whose snapshot is sealed: a problem where it is damaged. */
export function sealedLine(look: TagLook, tag: string): Line {
	if (look.head?.state === 'damaged') {
		return problemLine('damaged', 'bad', `${pathName(nameOf(look, tag))}: sealed as damaged at the source`)
	}
	const state = look.head?.state === 'unproven' ? ', unproven: no complete manifest' : ''
	const line = resultLine('sealed', `${shortName(nameOf(look, tag))}: ${amount(sumOf([look]))}${state}`)
	return { ...line, importance: 'detail' }
}

/** The object that `--json` tells such a table by. */
export function sealedObject(look: TagLook, tag: string): Record<string, unknown> {
	return { type: 'sealed', ...nameOf(look, tag), state: look.head?.state, ...sumOf([look]) }
}

/** The object that `--json` tells a table by whose snapshot is missing in the haven. */
export function missingObject({ look, reason }: Unsealed, tag: string): Record<string, unknown> {
	return { type: 'missing', ...nameOf(look, tag), reason }
}

const MISSING_LINES_MAX = 20

/** The lines about tables whose snapshot is missing in the haven: the first of them, and how many more there are. */
export function missingLines(missing: Unsealed[], tag: string): Line[] {
	const lines = missing
		.slice(0, MISSING_LINES_MAX)
		.map(({ look, reason }) => problemLine('missing', 'bad', `${pathName(nameOf(look, tag))}: ${reason}`))
	const more = missing.length - lines.length
	return more > 0 ? [...lines, problemLine('missing', 'bad', `${counted(more, 'table')} more`)] : lines
}

/** What to warn of although all is sealed. */
export function unprovenLines(sealed: TagLook[], tag: string): Line[] {
	const unproven = sealed.filter(({ head }) => head?.state === 'unproven')
	const [first] = unproven
	if (first === undefined) return []
	const others = unproven.length > 1 ? ` and ${counted(unproven.length - 1, 'other')}` : ''
	const text = `${shortName(nameOf(first, tag))}${others} sealed as unproven: no complete manifest said that it was finished`
	return [problemLine('warning', 'doubtful', text)]
}

/** The last line where all is sealed. */
export function allSealedLine(sealed: TagLook[], tag: string, elapsedMs: number): Line {
	const text = `${quoted(tag)}, ${counted(sealed.length, 'table')} (${amount(sumOf(sealed))}) in ${duration(elapsedMs)}`
	return { ...resultLine('sealed:', text), importance: 'summary' }
}

/** Why the waiting came to nothing. */
export function waitedInVain(
	{ end, sealed, unsealed, trouble }: Waited,
	{ tag, haven, keyspaces, dataDirectories }: TagOptions,
	elapsedMs: number,
	holder: LeaseHolder | undefined,
): SnaphavenError {
	const after = `after ${duration(elapsedMs)}`
	if (end === 'hung') {
		return failure(`the haven ${haven} does not answer, ${after}`, 'See that it is mounted and that its server is up.')
	}
	if (trouble !== undefined) return failure(`${quoted(tag)} is not seen to be sealed ${after}: ${trouble}`)
	const total = sealed.length + unsealed.length
	if (total === 0) {
		const where = keyspaces === 'all' ? 'every keyspace but Cassandra’s own' : keyspaces.join(', ')
		return failure(
			`no table has the tag ${quoted(tag)}, ${after}: was it taken?`,
			`Looked into ${where}, below ${dataDirectories.join(', ')}.`,
		)
	}
	return failure(
		`${quoted(tag)} is sealed for ${sealed.length} of ${counted(total, 'table')} ${after}`,
		holder ? `${holder.name} writes to the haven.` : 'Nobody writes to the haven now: does the service run?',
	)
}

/** All their files, and the bytes of these. */
export function sumOf(sealed: TagLook[]): { files: number; bytes: number } {
	const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)
	return {
		files: sum(sealed.map(({ head }) => head?.fileCount ?? 0)),
		bytes: sum(sealed.map(({ head }) => head?.byteCount ?? 0)),
	}
}
