import type { DamageFound, VerifyEvent, VerifySummary } from '../mirror/verify-types.ts'
import { bytes, count, counted, duration } from '../report/amounts.ts'
import { describeEvent, type Line, pathName, problemLine, resultLine } from '../report/messages.ts'
import { printable, quoted } from '../report/printable.ts'

/** The lines that an event of a verification is told by. */
export function eventLines(event: Exclude<VerifyEvent, { type: 'progress' }>): Line[] {
	switch (event.type) {
		case 'damage':
			return damageLines(event.damage)
		case 'extra':
			return extraLines(event)
		case 'left out':
			return [problemLine('left out', 'doubtful', `${pathName(event.snapshot)}: ${event.reason}`)]
		case 'repaired':
			return describeEvent(event)
		case 'not repaired':
			return [problemLine('not repaired', 'bad', `${quoted(event.paths[0] ?? '')}: ${event.reason}`)]
		case 'warning':
			return [problemLine('warning', 'doubtful', event.message)]
	}
}

const NAMES_MAX = 20

function damageLines({ kind, reason, atSource, paths, snapshots, good }: DamageFound): Line[] {
	const [first = '', ...others] = paths
	const where = atSource ? 'damaged at the source' : 'damaged'
	const tags = snapshots.slice(1).map(({ tag }) => nameOf(tag))
	const more = tags.length > NAMES_MAX ? ` and ${count(tags.length - NAMES_MAX)} more` : ''
	return [
		problemLine(where, 'bad', `${quoted(first)}: ${reason}`),
		...(others.length === 0
			? []
			: [continuation(`also in ${tags.slice(0, NAMES_MAX).join(', ')}${more}, which share it`)]),
		...good.map(({ where: place, path }) =>
			continuation(`a good copy ${place === 'haven' ? 'in the haven' : 'on the node'}: ${quoted(path)}`),
		),
		...(good.length === 0 && !atSource && isCopy(kind) ? [continuation('no good copy was found')] : []),
	]
}

function nameOf(tag: string): string {
	if (tag === '') return 'the live set'
	return tag.startsWith('backups/') ? 'incremental backups' : quoted(tag)
}

function isCopy(kind: DamageFound['kind']): boolean {
	return !['receipt', 'digest', 'manifest', 'schema'].includes(kind)
}

function extraLines({ snapshot, paths }: Extract<VerifyEvent, { type: 'extra' }>): Line[] {
	const what = `${pathName(snapshot)}: ${counted(paths.length, 'file')} that its receipt does not know, left alone`
	return [
		{ ...problemLine('extra', 'doubtful', what), importance: 'result' },
		...paths.map((path): Line => ({ ...continuation(quoted(path)), importance: 'detail' })),
	]
}

function continuation(text: string): Line {
	return { to: 'stderr', importance: 'problem', label: '', kind: 'plain', text: printable(text) }
}

/** `12/60 snapshots · 1,234 files · 12 MB · 480 MB/s` */
export function progressText({ snapshots, files, bytes: size }: Progress, elapsedMs: number): string {
	const parts = [`${count(snapshots.done)}/${count(snapshots.total)} snapshots`, counted(files, 'file'), bytes(size)]
	if (elapsedMs > 1000) parts.push(`${bytes(Math.round((size / elapsedMs) * 1000))}/s`)
	return parts.join(' · ')
}

type Progress = Extract<VerifyEvent, { type: 'progress' }>

/** The last line: what was read, and whether it is good. */
export function summaryLine(summary: VerifySummary, elapsedMs: number, quick: boolean): Line {
	const { snapshots, damaged, damages, atSource, files, bytes: size, notChosen, leftOut, extra } = summary
	const read = `${counted(files, 'file')} read (${bytes(size)})`
	const parts = [
		`${counted(snapshots, 'snapshot')}${quick ? ' by sizes and times' : ''}, ${read} in ${duration(elapsedMs)}`,
	]
	parts.push(damages === 0 ? 'no damage' : `${counted(damages, 'damage')}, ${counted(damaged, 'snapshot')} not good`)
	if (atSource > 0) parts.push(`${count(atSource)} damaged at the source`)
	if (extra > 0) parts.push(`${count(extra)} unknown to the receipts`)
	if (leftOut > 0) parts.push(`${count(leftOut)} left out`)
	if (notChosen > 0) parts.push(`${count(notChosen)} for another time`)
	const kind = damages > 0 ? 'bad' : atSource + leftOut > 0 ? 'doubtful' : 'good'
	return { ...resultLine('verified', parts.join('; '), kind), importance: 'summary' }
}
