import { join } from 'node:path'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { LiveListing } from '../cassandra/live-listing.ts'
import type { FoundSSTable, LiveSSTables, SSTableState } from '../cassandra/live-sstables.ts'
import { amount, count, counted } from '../report/amounts.ts'
import { type Line, problemLine, resultLine } from '../report/messages.ts'
import { quoted } from '../report/printable.ts'

/** A line for each SSTable: a problem where it is incomplete or not known; and for each log that is damaged. */
export function linesOf(location: TableLocation, listing: LiveListing, { sstables, logs }: LiveSSTables): Line[] {
	return [...logs.flatMap((log) => logLines(location, log)), ...sstables.map((one) => lineOf(location, listing, one))]
}

function logLines(location: TableLocation, { name, state, problem }: LiveSSTables['logs'][number]): Line[] {
	if (state !== 'damaged') return []
	return [problemLine('damaged log', 'bad', `${pathIn(location, name)}: ${problem}`)]
}

function lineOf(location: TableLocation, { dataDirectories }: LiveListing, sstable: FoundSSTable): Line {
	const { directory, state, reason } = sstable
	const place = `${amount(sumOf(sstable))} in ${quoted(dataDirectories[directory] ?? '')}`
	const name = pathIn(location, nameOf(sstable))
	const text = `${name}: ${place}${reason === undefined ? '' : `; ${reason}`}`
	if (state === 'incomplete') return problemLine(state, 'bad', text)
	if (state === 'unknown') return problemLine(state, 'doubtful', text)
	return resultLine(state, text, state === 'live' ? 'good' : 'plain')
}

/** The objects of `--json`: of each SSTable, and of each log. */
export function objectsOf(
	{ keyspace, table }: TableLocation,
	{ dataDirectories }: LiveListing,
	{ sstables, logs }: LiveSSTables,
): Record<string, unknown>[] {
	return [
		...logs.map(({ name, state, problem }) => ({ type: 'log', keyspace, table, name, state, problem })),
		...sstables.map((sstable) => ({
			type: 'sstable',
			keyspace,
			table,
			sstable: nameOf(sstable),
			state: sstable.state,
			reason: sstable.reason,
			dataDirectory: dataDirectories[sstable.directory],
			files: sstable.files.map(({ name, size }) => ({ path: pathOf(sstable, name), size })),
		})),
	]
}

/** The absolute path of each live file. */
export function pathsOf({ keyspace, table }: TableLocation, listing: LiveListing, { sstables }: LiveSSTables) {
	return sstables
		.filter(({ state }) => state === 'live')
		.flatMap((one) => {
			const folder = join(listing.dataDirectories[one.directory] ?? '', keyspace, table)
			return one.files.map(({ name }) => join(folder, pathOf(one, name)))
		})
}

/** All that was found, counted. */
export class Tally {
	readonly #sums = new Map<SSTableState, { sstables: number; files: number; bytes: number }>()
	#damagedLogs = 0

	add({ sstables, logs }: LiveSSTables): void {
		this.#damagedLogs += logs.filter(({ state }) => state === 'damaged').length
		for (const sstable of sstables) {
			const before = this.#sums.get(sstable.state) ?? { sstables: 0, files: 0, bytes: 0 }
			const { files, bytes } = sumOf(sstable)
			const sum = { sstables: before.sstables + 1, files: before.files + files, bytes: before.bytes + bytes }
			this.#sums.set(sstable.state, sum)
		}
	}

	/** By state: `{ live: { sstables, files, bytes } }`. */
	get counts(): Record<string, unknown> {
		return { ...Object.fromEntries(this.#sums), damagedLogs: this.#damagedLogs }
	}

	/** 3 for damage, 1 where something is not known now. */
	get exitCode(): 0 | 1 | 3 {
		if (this.#damagedLogs > 0 || this.#sums.has('incomplete')) return 3
		return this.#sums.has('unknown') ? 1 : 0
	}

	/** The last line. */
	line(tables: number): Line {
		const { sstables, files, bytes } = this.#sums.get('live') ?? { sstables: 0, files: 0, bytes: 0 }
		const others = [...this.#sums].filter(([state]) => state !== 'live')
		const rest = others.map(([state, sum]) => `, ${count(sum.sstables)} ${state}`).join('')
		const live = `${counted(sstables, 'live SSTable')} (${amount({ files, bytes })})`
		return resultLine('done:', `${live} in ${counted(tables, 'table')}${rest}`)
	}
}

function sumOf({ files }: FoundSSTable): { files: number; bytes: number } {
	return { files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) }
}

/** `da-5-bti`, `.orders_customer/da-5-bti` */
function nameOf({ prefix }: FoundSSTable): string {
	return prefix.slice(0, -1)
}

/** A file's path within the table's folder. */
function pathOf({ prefix }: FoundSSTable, name: string): string {
	return prefix.slice(0, prefix.lastIndexOf('/') + 1) + name
}

function pathIn({ keyspace, table }: TableLocation, path: string): string {
	return quoted(`${keyspace}/${table}/${path}`)
}
