import type { Name } from '../files/names.ts'
import type { LiveListing } from './live-listing.ts'
import {
	type FoundSSTable,
	folderOf,
	type Gathered,
	gather,
	type LiveSSTables,
	tocOf,
	whatLacks,
} from './live-sstables.ts'
import { parseComponent } from './sstable.ts'

/** What is lacking by then is not on its way any more: Cassandra links an SSTable's files within milliseconds. */
const LACKING_MS = 60_000
/** The same of an index: TOC.txt, which is one file with the live SSTable's, may name one that was built later. */
const INDEX_MS = 10_000

/**
 * Decides which SSTables in a table's `backups/` are whole. Cassandra links them there file by file, in no certain order,
 * after they were finished; no log tells when it is done. So an SSTable is whole (`live`) when all is there that its
 * TOC.txt names, where an index may be missing in the end. What is not whole yet is `unknown`, after a while `incomplete`.
 * @param nowMs ms since the epoch, of the look that made the listing.
 */
export function findBackups(listing: LiveListing, nowMs: number): LiveSSTables {
	const sstables = [...gather(listing).values()].flat().map((one) => ({ ...one, ...judge(listing, one, nowMs) }))
	return { sstables, logs: [] }
}

function judge(listing: LiveListing, one: Gathered, nowMs: number): Pick<FoundSSTable, 'state' | 'reason'> {
	const folder = folderOf(listing, one)
	const quietMs = nowMs - Number((folder?.own.mtimeNs ?? 0n) / 1_000_000n)
	const toc = tocOf(folder, one.prefix)
	const reason = toc === undefined ? 'it has no TOC.txt' : (whatLacks(listing, one) ?? whatTocMisses(toc, one))
	if (reason !== undefined) return { state: isQuiet(quietMs, LACKING_MS) ? 'incomplete' : 'unknown', reason }
	const index = missingOf(toc ?? '', one).find(isIndex)
	if (index !== undefined && !isQuiet(quietMs, INDEX_MS)) return { state: 'unknown', reason: `it has no ${index}` }
	return { state: 'live', reason: undefined }
}

/** A folder of a time to come was changed who knows when. */
function isQuiet(quietMs: number, forMs: number): boolean {
	return quietMs > forMs || quietMs < -forMs
}

function whatTocMisses(toc: string, one: Gathered): string | undefined {
	const missing = missingOf(toc, one).filter((component) => !isIndex(component))
	return missing.length === 0 ? undefined : `it has no ${missing.join(', ')}`
}

function missingOf(toc: string, { files }: Gathered): Name[] {
	const there = new Set(files.map(({ name }) => parseComponent(name)?.component))
	return toc.split(/\r?\n/).filter((component) => component !== '' && !there.has(component))
}

/** A component of an index that is stored beside the SSTable: SAI, or SASI's `SI_…`. */
function isIndex(component: Name): boolean {
	return component.startsWith('SAI') || component.startsWith('SI_')
}
