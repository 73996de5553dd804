import { tableName } from '../cassandra/find-tables.ts'
import { runAsync } from '../files/io.ts'
import { findGathering } from '../haven/gathering.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import { openForReading } from '../haven/open-for-reading.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import { readSealed } from '../haven/read-sealed.ts'
import type { ReceiptFile } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { openHeadCache } from '../mirror/head-cache.ts'
import { type Catalog, readCatalog, type Selection } from '../mirror/read-catalog.ts'
import { type Stored, storedBytes, tellReused } from '../mirror/stored-bytes.ts'
import { groupByTag, type TagGroup } from '../mirror/tag-groups.ts'
import { coloursFor } from '../report/colours.ts'
import { problemLine } from '../report/messages.ts'
import { openOutput } from '../report/output.ts'
import { jsonLine } from '../report/printable.ts'
import { writeText } from '../report/streams.ts'
import { listObjects } from './list-objects.ts'
import { groupLines, summaryText } from './list-report.ts'

/** What is to be listed, and how it is told. */
export interface ListOptions {
	haven: string
	stateDirectory: string
	selection: Selection
	depth: 'tags' | 'tables' | 'files'
	/** Exact numbers of bytes. */
	bytes: boolean
	json: boolean
}

/** What is told of a haven. */
export interface Listing {
	groups: TagGroup[]
	stored: Stored
	/** By a head's id; only with `files`. */
	files: Map<string, ReceiptFile[]>
	inDoubt: Catalog['inDoubt']
	gathering: Catalog['inDoubt']
	bad: Catalog['bad']
}

/** Lists and tells. Returns the exit code. */
export async function runList(options: ListOptions): Promise<number> {
	const listing = await look(options)
	const { groups, bad, inDoubt, gathering } = listing
	const isEmpty = groups.length + bad.length + inDoubt.length + gathering.length === 0
	const isDamaged = bad.length > 0 || groups.some(({ heads }) => heads.some(({ state }) => state === 'damaged'))
	const exitCode = isDamaged ? 3 : isEmpty && !options.selection.isAll ? 1 : 0
	if (options.json) {
		writeText(
			'stdout',
			listObjects(listing, options.depth, exitCode)
				.map((one) => `${jsonLine(one)}\n`)
				.join(''),
		)
	} else await print(listing, options)
	return exitCode
}

async function look({ haven: path, stateDirectory, selection, depth }: ListOptions): Promise<Listing> {
	const haven = await openForReading(path, stateDirectory)
	try {
		// All tags: only beside the others can be told what one lacks.
		const all = { ...selection, wantsTag: () => true, wantsTime: () => true }
		const cache = await openHeadCache(stateDirectory, haven.record.id)
		const { sealed, inDoubt, bad } = await readCatalog(haven.base, all, cache)
		await cache.save()
		const groups = groupByTag(sealed).flatMap((group) => selected(group, selection))
		const heads = groups.flatMap((group) => group.heads)
		const gathering = await runAsync(onHaven(findGathering(haven.base)))
		await runAsync(onHaven(tellReused(haven.base, sealed, RECEIPTS_IN_FLIGHT)))
		const stored = storedBytes(sealed)
		const files = depth === 'files' ? await filesOf(haven.base, heads, bad) : new Map()
		const isMeant = ({ keyspace, table, tag }: SnapshotKey) =>
			selection.wantsTable(keyspace, tableName(table)) && selection.wantsTag(tag)
		return { groups, stored, files, inDoubt: inDoubt.filter(isMeant), gathering: gathering.filter(isMeant), bad }
	} finally {
		await haven.close()
	}
}

function selected(group: TagGroup, { wantsTag, wantsTime }: Selection): TagGroup[] {
	if (!wantsTag(group.tag)) return []
	const heads = group.heads.filter(({ takenAt }) => wantsTime(takenAt))
	return heads.length === 0 ? [] : [{ ...group, heads }]
}

const RECEIPTS_IN_FLIGHT = 16

async function filesOf(base: string, heads: SealedHead[], bad: Catalog['bad']): Promise<Map<string, ReceiptFile[]>> {
	const files = new Map<string, ReceiptFile[]>()
	for (const head of heads) {
		const read = await runAsync(onHaven(readSealed(base, head)))
		if ('receipt' in read) files.set(head.id, read.receipt.files)
		else bad.push({ path: `${head.keyspace}/${head.table}/snapshots/${head.tag}`, reason: read.problem })
	}
	return files
}

async function print(listing: Listing, options: ListOptions): Promise<void> {
	const colours = await coloursFor('stdout')
	const output = await openOutput()
	writeText('stdout', (await groupLines(listing, options, colours)).map((line) => `${line}\n`).join(''))
	writeText('stdout', `${summaryText(listing, options)}\n`)
	for (const { path, reason } of listing.bad) output.print(problemLine('damaged', 'bad', `${path}: ${reason}`))
}
