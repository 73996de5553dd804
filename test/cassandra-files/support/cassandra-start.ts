import { lineOf, type MadeRecord } from './transaction-logs.ts'

/**
 * What a starting Cassandra does with a table's transaction logs, retold step by step from LogTransaction, LogFile,
 * LogReplicaSet and LogRecord (5.0.8): the second model that the reader of the logs is held against.
 */
export interface Start {
	/** SSTables (their paths, with the last dash) whose files it would delete. */
	deleted: Set<string>
	/** Logs that it can't act on, so that it would not start. */
	refused: Set<string>
}

/** The files of an SSTable that are on disk: how many, and the youngest time of them but Statistics.db, in ms. */
export interface OnDisk {
	files: number
	time: number
}

/** @param logs For each name of a log its replicas' texts. */
export function startCassandra(disk: ReadonlyMap<string, OnDisk>, logs: ReadonlyMap<string, string[]>): Start {
	const start: Start = { deleted: new Set(), refused: new Set() }
	for (const [name, replicas] of logs) {
		const records = verify(readRecords(replicas.map(linesOf)), disk)
		if (!records) {
			start.refused.add(name)
			continue
		}
		const last = records.at(-1)
		const doomed = last?.type === 'COMMIT' && last.isValid ? 'REMOVE' : 'ADD'
		for (const record of records) if (record.type === doomed && disk.has(record.path)) start.deleted.add(record.path)
	}
	return start
}

/** Whether Cassandra takes the log for committed, whatever files there are; undefined where it can't act on it. */
export function isCommitted(replicas: string[]): boolean | undefined {
	const records = verify(readRecords(replicas.map(linesOf)))
	if (!records) return undefined
	const last = records.at(-1)
	return last?.type === 'COMMIT' && last.isValid
}

interface ReadRecord {
	type: MadeRecord['type'] | 'UNKNOWN'
	path: string
	time: number
	files: number
	isValid: boolean
	isPartial: boolean
}

function linesOf(text: string): string[] {
	const lines = text.split('\n')
	return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function readRecords(replicas: string[][]): ReadRecord[] | undefined {
	const records: ReadRecord[] = []
	const count = replicas.reduce((most, { length }) => Math.max(most, length), 0)
	for (let i = 0; i < count; i++) {
		let first: string | undefined
		let isPartial = false
		for (const lines of replicas) {
			const line = lines[i]
			if (line === undefined) continue
			first ??= line
			if (first === line) continue
			if (!first.startsWith(line) && !line.startsWith(first)) return undefined
			if (i !== lines.length - 1) return undefined
			if (line.length > first.length) first = line
			isPartial = true
		}
		const record = { ...make(first ?? ''), isPartial }
		const isSame = (other: ReadRecord) =>
			['type', 'path', 'time', 'files'].every((key) => other[key as 'type'] === record[key as 'type'])
		if (records.some(isSame)) return undefined
		records.push(record)
		if ((record.type === 'COMMIT' || record.type === 'ABORT') && i !== count - 1) return undefined
	}
	return records
}

function make(line: string): Omit<ReadRecord, 'isPartial'> {
	const match = /^(ADD|REMOVE|COMMIT|ABORT):\[([^,]*),(\d+),(\d+)\]\[(\d+)\]$/i.exec(line)
	if (!match) return { type: 'UNKNOWN', path: '', time: 0, files: 0, isValid: false }
	const type = match[1]?.toUpperCase() as MadeRecord['type']
	const ends = type === 'COMMIT' || type === 'ABORT'
	const path = ends ? '' : (match[2] ?? '')
	const time = type === 'REMOVE' ? Number(match[3]) : 0
	const files = ends ? 0 : Number(match[4])
	const isValid = lineOf({ type, path, time, files }).split('[').at(-1) === `${match[5]}]`
	return { type, path, time, files, isValid }
}

function verify(records: ReadRecord[] | undefined, disk?: ReadonlyMap<string, OnDisk>): ReadRecord[] | undefined {
	if (!records) return undefined
	for (const record of records) {
		const { type, path, time } = record
		const there = disk?.get(path)
		if (type !== 'REMOVE' || !there || there.files === 0) continue
		if (Math.floor(there.time / 1000) !== Math.floor(time / 1000)) record.isValid = false
	}
	const failedOn = records.find(({ isValid, isPartial }) => !isValid || isPartial)
	if (!failedOn) return records
	if (failedOn !== records.at(-1)) return undefined
	const others = records.slice(0, -1)
	const isShort = ({ type, path, files }: ReadRecord) => type === 'REMOVE' && (disk?.get(path)?.files ?? 0) < files
	return disk && others.some(isShort) ? undefined : records
}
