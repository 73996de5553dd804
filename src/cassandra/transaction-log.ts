import { mayEndLog, parseRecord, type TransactionRecord } from './transaction-record.ts'

/** What a transaction log says, by all its replicas together. */
export interface TransactionLog {
	/**
	 * - `empty`: nothing yet.
	 * - `running`: it has not ended. Were Cassandra to start now, it would delete what it adds.
	 * - `committed`: what it adds stays, what it removes goes. `aborted`: the other way round.
	 * - `damaged`: it can't be known. Cassandra would refuse to start.
	 */
	state: 'empty' | 'running' | 'committed' | 'aborted' | 'damaged'
	/** The ADD and REMOVE records that can be read; of a damaged log those too that nobody may act on. */
	records: TransactionRecord[]
	/** The last line is not whole in all replicas: it is being written, or was when the node died. */
	isTorn: boolean
	/** A line can't be read, and may name any SSTable of the folders that the log is in. */
	mayNameMore: boolean
	/** What is wrong with it, if anything. */
	problem: string | undefined
}

/** The text of a replica, or why there is none. */
export type ReplicaText = string | { problem: string }

/**
 * Reads a log's replicas as a starting Cassandra does (LogReplicaSet.readRecords, LogFile.verify). A replica may end
 * before the others. Of the last line one replica may have a part; no other line may differ, be no record, stand twice,
 * or follow the end.
 */
export function readLog(replicas: ReplicaText[]): TransactionLog {
	const texts = replicas.filter((text) => typeof text === 'string')
	const unread = replicas.find((text) => typeof text !== 'string')
	const log = readLines(texts.map(linesOf))
	if (unread === undefined) return log
	return { ...log, state: 'damaged', mayNameMore: true, problem: unread.problem }
}

function readLines(replicas: string[][]): TransactionLog {
	const count = Math.max(0, ...replicas.map((lines) => lines.length))
	const log: TransactionLog = { state: 'empty', records: [], isTorn: false, mayNameMore: false, problem: undefined }
	const keys = new Set<string>()
	for (let at = 0; at < count; at++) {
		const found = replicas.flatMap((lines) => (at < lines.length ? [lines[at] ?? ''] : []))
		const line = found.reduce((longest, one) => (one.length > longest.length ? one : longest))
		const differs = found.some((one) => one !== line)
		const { record, key } = parseRecord(line)
		const isLast = at === count - 1
		if (found.some((one) => !line.startsWith(one))) damage(log, `its replicas differ in line ${at + 1}`)
		else if (differs && !isLast) damage(log, `its replicas differ in line ${at + 1}, which is not the last`)
		else if (keys.has(key)) damage(log, `line ${at + 1} stands there twice`)
		else if (!record && !isLast) damage(log, `line ${at + 1} is no record, or its checksum is wrong`)
		keys.add(key)
		if (differs || !record) log.isTorn = isLast
		take(log, record, line, isLast, at + 1)
	}
	return log
}

/** Adds what a line says, unless it is damage. */
function take(
	log: TransactionLog,
	record: TransactionRecord | undefined,
	line: string,
	isLast: boolean,
	number: number,
): void {
	const ends = record?.type === 'COMMIT' || record?.type === 'ABORT'
	if (ends && !isLast) damage(log, `line ${number} ends it, and is not the last`)
	if (!record) {
		log.mayNameMore ||= !(isLast && mayEndLog(line))
		log.problem ??= `its last line is half-written, or its checksum is wrong`
	}
	if (record && !ends) log.records.push(record)
	if (log.state === 'damaged') return
	log.state = record?.type === 'COMMIT' ? 'committed' : record?.type === 'ABORT' ? 'aborted' : 'running'
}

function damage(log: TransactionLog, problem: string): void {
	if (log.state !== 'damaged') log.problem = problem
	log.state = 'damaged'
	// The lines of the replicas that do not count may name others.
	log.mayNameMore = true
}

/** Lines as java.nio.file.Files.readAllLines has them. */
function linesOf(text: string): string[] {
	const lines = text.split(/\r\n|\r|\n/)
	if (lines.at(-1) === '') lines.pop()
	return lines
}
