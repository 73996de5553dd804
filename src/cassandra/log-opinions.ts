import type { Name } from '../files/names.ts'
import type { LiveListing } from './live-listing.ts'
import type { Gathered, SSTableState } from './live-sstables.ts'
import { type ReplicaText, readLog, type TransactionLog } from './transaction-log.ts'
import type { TransactionRecord } from './transaction-record.ts'

/** A transaction log of a table. */
export interface WeighedLog {
	name: Name
	/** The folders, within the table's, that have a replica. */
	folders: Name[]
	state: TransactionLog['state']
	/** What is wrong with it, if anything. */
	problem: string | undefined
}

/** What the logs say of SSTables, by their prefixes; of those that none names, nothing. */
export type Opinions = Map<Name, Opinion>

interface Opinion {
	state: Exclude<SSTableState, 'incomplete'>
	reason: string | undefined
}

/** Of two logs that name an SSTable, the one counts that says more against it. */
const WEIGHT = { live: 0, unknown: 1, obsolete: 2, temporary: 3 }

/** What all logs say. */
export function opinionsOf(
	listing: LiveListing,
	found: ReadonlyMap<Name, Gathered[]>,
): { logs: WeighedLog[]; opinions: Opinions } {
	const opinions: Opinions = new Map()
	const logs: WeighedLog[] = []
	for (const [name, { folders, texts }] of replicasByName(listing)) {
		const log = readLog(texts)
		const problem = log.problem ?? filesProblem(listing, folders, log, found)
		logs.push({ name, folders: [...folders], state: log.state, problem })
		const say = (prefix: Name, state: Opinion['state'], reason: string | undefined) => {
			const before = opinions.get(prefix)
			if (!before || WEIGHT[before.state] < WEIGHT[state]) opinions.set(prefix, { state, reason })
		}
		const named = new Set<Name>()
		for (const record of log.records) {
			for (const prefix of prefixesOf(listing, folders, record)) {
				named.add(prefix)
				const state = stateOf(record, log, found.get(prefix) ?? [], problem)
				say(prefix, state, state === 'live' ? undefined : `${REASONS[state]} ${name}${why(problem)}`)
			}
		}
		if (!log.mayNameMore) continue
		for (const prefix of found.keys()) {
			if (named.has(prefix) || !folders.has(folderOf(prefix))) continue
			say(prefix, 'unknown', `a line that can’t be read may name it, in ${name}${why(problem)}`)
		}
	}
	return { logs, opinions }
}

const REASONS = {
	temporary: 'it is added, and not for good, by',
	obsolete: 'it was replaced, by',
	unknown: 'it is named, to no certain end, by',
}

function why(problem: string | undefined): string {
	return problem === undefined ? '' : ` (${problem})`
}

/** One log has a replica, of the same name, in each folder that it names SSTables of. */
function replicasByName({ folders }: LiveListing): Map<Name, { folders: Set<Name>; texts: ReplicaText[] }> {
	const logs = new Map<Name, { folders: Set<Name>; texts: ReplicaText[] }>()
	for (const folder of folders) {
		for (const [name, text] of folder.logs) {
			const log = logs.get(name) ?? { folders: new Set(), texts: [] }
			logs.set(name, log)
			log.folders.add(folder.path)
			log.texts.push(text)
		}
	}
	return logs
}

function stateOf(
	{ type, files }: TransactionRecord,
	{ state }: TransactionLog,
	copies: Gathered[],
	problem: string | undefined,
): Opinion['state'] {
	if (state === 'damaged') return 'unknown'
	if (state === 'committed') return type === 'ADD' ? 'live' : problem === undefined ? 'obsolete' : 'unknown'
	if (type === 'ADD') return 'temporary'
	// Cassandra deletes nothing before the end. So it came after the log was read, or something is wrong.
	return state === 'running' && copies.some((one) => one.files.length < files) ? 'unknown' : 'live'
}

/**
 * Why Cassandra would not act on a log that can be read (LogFile.verifyRecord): a file of an SSTable that it removes is
 * younger or older than the log says, as where somebody has copied them there again; or, where the last line is torn,
 * one is missing, or all of them are.
 */
function filesProblem(
	listing: LiveListing,
	folders: ReadonlySet<Name>,
	{ records, isTorn, state }: TransactionLog,
	found: ReadonlyMap<Name, Gathered[]>,
): string | undefined {
	if (state !== 'committed') return undefined
	for (const record of records) {
		if (record.type !== 'REMOVE') continue
		const prefixes = prefixesOf(listing, folders, record)
		const copies = prefixes.flatMap((prefix) => found.get(prefix) ?? [])
		const name = (copies[0]?.prefix ?? prefixes[0] ?? '').slice(0, -1)
		if (copies.some(({ files }) => !isOfTime(record, files)))
			return `the files of ${name} have another time than it says`
		const isWhole = copies.length > 0 && copies.every(({ files }) => files.length >= record.files)
		if (isTorn && !isWhole) return `its last line is torn, and ${name} not whole`
	}
	return undefined
}

/** Times are compared in whole seconds; some versions counted Statistics.db, too. */
function isOfTime({ updateTime }: TransactionRecord, files: Gathered['files']): boolean {
	const seconds = (some: Gathered['files']) =>
		some.reduce((youngest, { mtimeNs }) => (mtimeNs > youngest ? mtimeNs : youngest), 0n) / 1_000_000_000n
	const others = files.filter(({ name }) => !name.endsWith('-Statistics.db'))
	const told = updateTime / 1000n
	return others.length === 0 || seconds(others) === told || seconds(files) === told
}

/**
 * Where a record's SSTable is within the table's folder. The node may see other paths than we do, so what follows the
 * table's folder counts; where that is not in the path, as behind a symbolic link, the log's own folder.
 */
function prefixesOf({ table }: LiveListing, folders: ReadonlySet<Name>, { prefix }: TransactionRecord): Name[] {
	const at = prefix.lastIndexOf(`/${table}/`)
	if (at >= 0) return [prefix.slice(at + table.length + 2)]
	const name = prefix.slice(prefix.lastIndexOf('/') + 1)
	return [...folders].map((folder) => (folder === '' ? name : `${folder}/${name}`))
}

function folderOf(prefix: Name): Name {
	return prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
}
