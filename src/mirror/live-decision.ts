import type { LiveListing } from '../cassandra/live-listing.ts'
import type { FoundSSTable, LiveSSTables } from '../cassandra/live-sstables.ts'
import type { SnapshotFile } from '../cassandra/snapshot.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import type { Name } from '../files/names.ts'
import type { Origin, ReceiptFile } from '../haven/receipt.ts'
import { comingOrder, goingOrder } from './live-order.ts'
import { isSameComponent } from './plan.ts'
import type { LiveCount } from './types.ts'

/** A file of a live set that was gathered, and what it was. */
export interface GatheredLive {
	file: SnapshotFile
	crc: number
	how: Origin
	/** `reused`: the tag that has it (LIVE: the live set), and what the receipt says of it. */
	from?: { tag: string; known: ReceiptFile } | undefined
	/** The contents of Digest.crc32 and TOC.txt. */
	text?: string | undefined
}

/** What a look at a table means for its live set in the haven. */
export interface LiveDecision {
	/** Files that the set has, the haven has not, and that are gathered already. */
	add: GatheredLive[]
	/** Those that are to be gathered. */
	missing: SnapshotFile[]
	/** Paths of what was gathered in vain: it is not of the set any more, or another file by now. */
	vain: Name[]
	/** Lines of the receipt that stay. */
	keep: ReceiptFile[]
	/** See LiveTurn. */
	replace: Name[]
	clear: Name[]
	remove: Name[]
	/** SSTables: of the set, new in it, gone from it. */
	count: LiveCount
	/** SSTables that are neither added nor removed: what they are can't be known now, or Cassandra could not load them. */
	undecided: Name[]
	/** Where the node contradicts itself, in words: damaged logs, SSTables that lack components, or are there twice. */
	problems: string[]
}

/** Compares the live SSTables of a look with what the haven has (of backups: those that it has not, with nothing). A pure function. */
export function decideLive(
	listing: LiveListing,
	found: LiveSSTables,
	known: readonly ReceiptFile[],
	gathered: readonly GatheredLive[],
): LiveDecision {
	const { live, undecided, problems } = sortOut(found)
	const files = new Map(live.flatMap((one) => filesOf(listing, one)).map((file) => [file.path, file]))
	const had = new Map(known.map((file) => [file.path, file]))
	const ready = new Map(gathered.map((one) => [one.file.path, one]))
	const isKept = (file: SnapshotFile) => {
		const before = had.get(file.path)
		return before !== undefined && isSameComponent(file, before) && !others.has(prefixOf(file.path))
	}
	const others = otherSSTables(files, had)
	const add: GatheredLive[] = []
	const missing: SnapshotFile[] = []
	const keep = known.filter(({ path }) => undecided.has(prefixOf(path)))
	for (const file of files.values()) {
		const one = ready.get(file.path)
		if (isKept(file)) keep.push({ ...(had.get(file.path) as ReceiptFile), ino: String(file.ino) })
		else if (one && isVery(file, one.file)) add.push(one)
		else missing.push(file)
	}
	const clear: Name[] = []
	const remove: Name[] = []
	for (const { path } of known) {
		if (undecided.has(prefixOf(path))) continue
		const now = files.get(path)
		if (others.has(prefixOf(path)) || (now && isIndex(path) && !isKept(now))) clear.push(path)
		else if (!now) remove.push(path)
	}
	const cleared = new Set(clear)
	const ages = agesOf([...had.values(), ...files.values()])
	const before = prefixesOf(had.keys())
	const after = prefixesOf([...files.keys(), ...keep.map(({ path }) => path)])
	return {
		add: add.sort((one, other) => comingOrder(ages, one.file.path, other.file.path)),
		missing,
		vain: gathered.filter(({ file }) => !isVeryNow(files, file)).map(({ file }) => file.path),
		keep,
		replace: add.map(({ file }) => file.path).filter((path) => had.has(path) && !cleared.has(path)),
		clear: clear.sort((one, other) => goingOrder(ages, one, other)),
		remove: remove.sort((one, other) => goingOrder(ages, one, other)),
		count: {
			sstables: after.size,
			added: [...after].filter((prefix) => !before.has(prefix) || others.has(prefix)).length,
			removed: [...before].filter((prefix) => !after.has(prefix) || others.has(prefix)).length,
		},
		undecided: [...undecided],
		problems,
	}
}

/** What the haven would lose by a decision. */
export function losesAnything({ clear, remove }: LiveDecision): boolean {
	return clear.length + remove.length > 0
}

/** Whether the haven's set is that of the node already. */
export function isSettledLive({ add, missing, clear, remove }: LiveDecision): boolean {
	return add.length + missing.length + clear.length + remove.length === 0
}

function sortOut({ sstables, logs }: LiveSSTables): Pick<LiveDecision, 'problems'> & {
	live: FoundSSTable[]
	undecided: ReadonlySet<Name>
} {
	const problems = logs.flatMap(({ name, state, problem }) =>
		state === 'damaged' ? [`the transaction log ${name} is damaged: ${problem}`] : [],
	)
	const undecided = new Set<Name>()
	const live = new Map<Name, FoundSSTable>()
	for (const one of sstables) {
		const { prefix, state, reason } = one
		if (state === 'incomplete') problems.push(`the SSTable ${prefix.slice(0, -1)} can’t be loaded: ${reason}`)
		if (state === 'incomplete' || state === 'unknown') undecided.add(prefix)
		if (state !== 'live') continue
		if (live.has(prefix)) {
			problems.push(`the SSTable ${prefix.slice(0, -1)} stands in two data directories`)
			undecided.add(prefix)
		}
		live.set(prefix, one)
	}
	return { problems, undecided, live: [...live.values()].filter(({ prefix }) => !undecided.has(prefix)) }
}

function filesOf({ folders }: LiveListing, { directory, prefix, files }: FoundSSTable): SnapshotFile[] {
	const slash = prefix.lastIndexOf('/')
	const folder = folders.length === 0 || slash < 0 ? '' : prefix.slice(0, slash + 1)
	return files.map(({ name, isFile: _, ...rest }) => ({ ...rest, path: folder + name, directory }))
}

/** SSTables whose name another one has now: Data.db is written once. */
function otherSSTables(files: ReadonlyMap<Name, SnapshotFile>, had: ReadonlyMap<Name, ReceiptFile>): Set<Name> {
	const others = new Set<Name>()
	for (const [path, file] of files) {
		const before = parseComponent(path)?.component === 'Data.db' ? had.get(path) : undefined
		if (before && !isSameComponent(file, before)) others.add(prefixOf(path))
	}
	return others
}

/** A component of a storage-attached index: several files that belong together, of which one says that all are there. */
function isIndex(path: Name): boolean {
	return parseComponent(path)?.component.startsWith('SAI') ?? false
}

function isVeryNow(files: ReadonlyMap<Name, SnapshotFile>, file: SnapshotFile): boolean {
	const now = files.get(file.path)
	return now !== undefined && isVery(now, file)
}

function isVery(one: SnapshotFile, other: SnapshotFile): boolean {
	return (
		one.ino === other.ino &&
		one.dev === other.dev &&
		one.size === other.size &&
		one.mtimeNs === other.mtimeNs &&
		one.directory === other.directory
	)
}

function prefixesOf(paths: Iterable<Name>): Set<Name> {
	return new Set(Array.from(paths, prefixOf))
}

/** By the SSTable's prefix, when its Data.db was written. */
function agesOf(files: { path: Name; mtimeNs: bigint | string }[]): Map<Name, bigint> {
	const ages = new Map<Name, bigint>()
	for (const { path, mtimeNs } of files) {
		if (parseComponent(path)?.component === 'Data.db') ages.set(prefixOf(path), BigInt(mtimeNs))
	}
	return ages
}

function prefixOf(path: Name): Name {
	return parseComponent(path)?.prefix ?? path
}
