import { amount, bytes, count, counted, duration } from '../report/amounts.ts'
import { type Line, pathName, problemLine, resultLine, shortName } from '../report/messages.ts'
import { quoted } from '../report/printable.ts'
import { nameOf } from '../restore/choose.ts'
import { folderOf } from '../restore/places.ts'
import type { PlannedTable, Refusal, RestorePlan, RowCounts } from '../restore/types.ts'

/** `shop.orders daily_1, taken 2026-11-21T10:00:00.000Z: 12 files, 4.1 MB` */
function tableText({ head, place }: PlannedTable): string {
	const isOther = place.keyspace !== head.keyspace || place.name !== nameOf(head)
	const as = isOther ? ` as ${place.keyspace}.${place.name}` : ''
	return `${shortName(head)}${as}, taken ${head.takenAt}: ${amountOf([{ head }])}`
}

/** The line that a table of a plan is told by. */
export function plannedLine(table: PlannedTable): Line {
	if (table.isThere) return resultLine('there already', tableText(table), 'plain')
	return resultLine('would restore', tableText(table))
}

/** What is about to be done, or would be; `where`: the folder that it is copied to. */
export function planLine({ tables, bytesFree, disks = [] }: RestorePlan, where: string, dryRun: boolean): Line {
	const rest = tables.filter(({ isThere }) => !isThere)
	const there = tables.length - rest.length
	const before = there === 0 ? '' : `; ${counted(there, 'table')} there already`
	const places =
		disks.length < 2
			? `${quoted(where)}, where ${bytes(bytesFree)} are free`
			: disks
					.map((disk) => `${quoted(disk.directory)} (${bytes(disk.bytes)} of ${bytes(disk.bytesFree)} free)`)
					.join(', ')
	const text = `${counted(rest.length, 'table')} (${amountOf(rest)}) to ${places}${before}`
	if (dryRun) return { ...resultLine('would restore:', text), importance: 'summary' }
	return { ...resultLine('restoring:', text, 'plain'), to: 'stderr' }
}

/** The line that a restored table is told by. */
export function restoredLine(table: PlannedTable, leftOut: string[], rows?: RowCounts): Line {
	const without = leftOut.length === 0 ? '' : `, without ${counted(leftOut.length, 'file')} of damaged SSTables`
	const doubtful = table.head.state === 'whole' ? '' : `, ${table.head.state}`
	const kind = without === '' && doubtful === '' ? 'good' : 'doubtful'
	return resultLine('restored', `${tableText(table)}${doubtful}${without}${rowsText(rows)}`, kind)
}

function rowsText(rows: RowCounts | undefined): string {
	if (rows === undefined) return ''
	if ('problem' in rows) return `; its rows could not be counted: ${rows.problem}`
	return `; ${counted(rows.after, 'row')}, ${count(rows.before)} before`
}

/** The line that a file is named by that the haven has damaged. */
export function damageLine({ head }: PlannedTable, path: string, reason: string): Line {
	return problemLine('damaged', 'bad', `${pathName(head)}/${quoted(path)}: ${reason}`)
}

/** The line that a table is told by that is not restored. */
export function refusalLine({ keyspace, name, reason }: Refusal): Line {
	return problemLine('refused', 'bad', `${quoted(`${keyspace}.${name}`)}: ${reason}`)
}

/** The last line. */
export function summaryLine(restored: PlannedTable[], refused: number, where: string, elapsedMs: number): Line {
	const missing = refused === 0 ? '' : `; ${counted(refused, 'table')} not`
	const text = `${counted(restored.length, 'table')} (${amountOf(restored)}) ${where}, in ${duration(elapsedMs)}${missing}`
	return { ...resultLine('restored:', text, refused === 0 ? 'good' : 'doubtful'), importance: 'summary' }
}

/** The statements that make a table, for people to take from here. */
export function schemaLines(head: Parameters<typeof shortName>[0], schema: string): Line[] {
	const what = `${shortName(head)} has this schema.cql; its keyspace must be made first where it is gone, by CREATE KEYSPACE:`
	const lines = schema.split('\n').filter((text) => text !== '')
	return [resultLine('schema:', what, 'plain'), ...lines.map((text) => resultLine('', text, 'plain'))]
}

/** The object that `--json` tells a table by. */
export function tableObject(type: string, table: PlannedTable): Record<string, unknown> {
	const { head, place } = table
	const { keyspace, table: folderName, tag, takenAt, state, fileCount, byteCount } = head
	const what = { keyspace, table: folderName, tag, takenAt, state, files: fileCount, bytes: byteCount }
	return { type, ...what, folder: folderOf(place) }
}

/** All files of these tables, and their bytes. */
export function sumOf(tables: Pick<PlannedTable, 'head'>[]): { files: number; bytes: number } {
	return {
		files: tables.reduce((sum, { head }) => sum + head.fileCount, 0),
		bytes: tables.reduce((sum, { head }) => sum + head.byteCount, 0),
	}
}

function amountOf(tables: Pick<PlannedTable, 'head'>[]): string {
	return amount(sumOf(tables))
}
