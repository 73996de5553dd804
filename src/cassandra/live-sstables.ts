import type { Name } from '../files/names.ts'
import type { LiveFile, LiveFolder, LiveListing } from './live-listing.ts'
import { type Opinions, opinionsOf, type WeighedLog } from './log-opinions.ts'
import { neededComponents, parseComponent } from './sstable.ts'

/**
 * What an SSTable of a table's folder is.
 * - `live`: Cassandra would load it, were it to start now.
 * - `temporary`: it is being written, or was given up. `obsolete`: another one replaced it. Cassandra would delete both.
 * - `incomplete`: Cassandra would try to load it, and it lacks what it needs for that.
 * - `unknown`: it can't be known now. Where the node runs, a later look knows.
 */
export type SSTableState = 'live' | 'temporary' | 'obsolete' | 'incomplete' | 'unknown'

/** An SSTable, with all its components in one data directory. */
export interface FoundSSTable {
	/** An index into LiveListing.dataDirectories. */
	directory: number
	/** What its files' paths within the table's folder begin with: `da-5-bti-`, `.orders_customer/da-5-bti-`. */
	prefix: Name
	state: SSTableState
	/** Why it is not live, in words; undefined where it is. */
	reason: string | undefined
	files: LiveFile[]
}

/** What is live of a table, and what is not. */
export interface LiveSSTables {
	/** Each SSTable of each data directory, by its prefix. */
	sstables: FoundSSTable[]
	/** The transaction logs there were. */
	logs: WeighedLog[]
}

/**
 * Decides which SSTables are live, as a starting Cassandra would, and more cautiously: what it would delete is never
 * called live, and what it would keep is never called temporary or obsolete, unless a log that says so is whole.
 */
export function findLive(listing: LiveListing): LiveSSTables {
	const found = gather(listing)
	const { logs, opinions } = opinionsOf(listing, found)
	const sstables = [...found.values()].flatMap((copies) =>
		copies.map((one) => ({ ...one, ...judge(listing, one, copies.length, opinions) })),
	)
	return { sstables: sstables.sort((a, b) => compare(a.prefix, b.prefix) || a.directory - b.directory), logs }
}

/** An SSTable that nothing was decided about: in each data directory that has files of it. */
export type Gathered = Pick<FoundSSTable, 'directory' | 'prefix' | 'files'>

/** SSTables by their prefixes. */
export function gather({ folders }: LiveListing): Map<Name, Gathered[]> {
	const found = new Map<Name, Gathered[]>()
	for (const { directory, path, files } of folders) {
		for (const file of files) {
			const prefix = parseComponent(path === '' ? file.name : `${path}/${file.name}`)?.prefix
			if (prefix === undefined) continue
			const copies = found.get(prefix) ?? []
			if (copies.length === 0) found.set(prefix, copies)
			const known = copies.find((one) => one.directory === directory)
			if (known) known.files.push(file)
			else copies.push({ directory, prefix, files: [file] })
		}
	}
	return found
}

function judge(
	listing: LiveListing,
	sstable: Gathered,
	copies: number,
	opinions: Opinions,
): Pick<FoundSSTable, 'state' | 'reason'> {
	const { prefix } = sstable
	if (BEFORE_3_0.test(prefix)) return { state: 'temporary', reason: 'its name says so, as it did before Cassandra 3.0' }
	const said = opinions.get(prefix)
	if (said && copies > 1) return { state: 'unknown', reason: 'several data directories have it, and a log names one' }
	if (said && said.state !== 'live') return said
	const lacks = whatLacks(listing, sstable)
	return lacks === undefined ? { state: 'live', reason: undefined } : { state: 'incomplete', reason: lacks }
}

/** Before 3.0 there were no logs: what was being written was called `<keyspace>-<table>-tmp-ka-7`. */
const BEFORE_3_0 = /-tmp(?:link)?-[^/]*$/

const COMPRESSION_INFO = 'CompressionInfo.db'

/** What an SSTable lacks of what it needs to load, in words. */
export function whatLacks({ folders }: LiveListing, { directory, prefix, files }: Gathered): string | undefined {
	const strange = files.find(({ isFile }) => !isFile)
	if (strange) return `${strange.name} is no regular file`
	const there = new Set(files.map(({ name }) => parseComponent(name)?.component))
	const format = parseComponent(`${prefix}Data.db`)?.format ?? 'big'
	const needed = neededComponents(format)
	const toc = tocOf(folderOf({ folders }, { directory, prefix }), prefix)
	if (toc?.split('\n').includes(COMPRESSION_INFO)) needed.push(COMPRESSION_INFO)
	const missing = needed.filter((component) => !there.has(component))
	return missing.length === 0 ? undefined : `it has no ${missing.join(', ')}`
}

/** The folder that an SSTable stands in. */
export function folderOf(
	{ folders }: Pick<LiveListing, 'folders'>,
	{ directory, prefix }: Pick<Gathered, 'directory' | 'prefix'>,
): LiveFolder | undefined {
	const path = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
	return folders.find((one) => one.directory === directory && one.path === path)
}

/** The text of an SSTable's TOC.txt, as far as it was read. */
export function tocOf(folder: LiveFolder | undefined, prefix: Name): string | undefined {
	return folder?.tocs.get(`${prefix.slice(prefix.lastIndexOf('/') + 1)}TOC.txt`)
}

/** Whether an SSTable's TOC.txt must be read to know if it is compressed: each has one of these two, or lacks one. */
export function needsToc(components: ReadonlySet<string>): boolean {
	return components.has('TOC.txt') && !components.has(COMPRESSION_INFO) && !components.has('CRC.db')
}

function compare(one: Name, other: Name): number {
	return one < other ? -1 : one > other ? 1 : 0
}
