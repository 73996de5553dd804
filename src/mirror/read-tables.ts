import { tableName } from '../cassandra/find-tables.ts'
import { runAsync } from '../files/io.ts'
import { BACKUPS_RECEIPTS } from '../haven/layout.ts'
import { isSlowToRead } from '../haven/measure.ts'
import { type HeadRead, readHeads } from '../haven/read-heads.ts'
import { listLiveReceipts, listReceiptFolders, listReceiptsIn, type ReceiptFolder } from '../haven/receipt-folders.ts'
import { onHaven } from '../haven/trouble.ts'
import { startThreads } from './engine.ts'
import type { HeadCache } from './head-cache.ts'
import type { Selection } from './read-catalog.ts'

/** Reads the heads of the receipts of the selected tables, and with a cache only of those that have changed. */
export async function readTables(base: string, selection: Selection, cache?: HeadCache): Promise<HeadRead[]> {
	const nowNs = BigInt(Date.now()) * 1_000_000n
	const folders = await runAsync(
		onHaven(
			listReceiptFolders(base, (keyspace, table) =>
				selection.wantsTable(keyspace, table === undefined ? undefined : tableName(table)),
			),
		),
	)
	const known: HeadRead[] = []
	const unknown: ReceiptFolder[] = []
	for (const folder of folders) {
		const heads = cache?.get(folder)
		if (heads) for (const head of heads) known.push({ head })
		else unknown.push(folder)
	}
	// A cache needs all of a table.
	const wantsTag = cache ? () => true : selection.wantsTag
	const paths = await runAsync(onHaven(listReceiptsIn(base, unknown, wantsTag)))
	const reads = await readAll(base, paths.flat())
	if (cache) keep(cache, unknown, paths, reads, nowNs)
	return known.concat(reads)
}

/** Reads the heads of the receipts of the selected tables' live sets. */
export async function readLiveSets(base: string, { wantsTable }: Selection): Promise<HeadRead[]> {
	const wanted: Selection['wantsTable'] = (keyspace, table) =>
		wantsTable(keyspace, table === undefined ? undefined : tableName(table))
	return await readAll(base, await runAsync(onHaven(listLiveReceipts(base, wanted))))
}

/** Reads the heads of the receipts of the selected tables' incremental backups. */
export async function readBackupsParts(base: string, { wantsTable }: Selection): Promise<HeadRead[]> {
	const wanted: Selection['wantsTable'] = (keyspace, table) =>
		wantsTable(keyspace, table === undefined ? undefined : tableName(table))
	const folders = await runAsync(onHaven(listReceiptFolders(base, wanted, BACKUPS_RECEIPTS)))
	const paths = await runAsync(onHaven(listReceiptsIn(base, folders, () => true)))
	return await readAll(base, paths.flat())
}

/** So many heads are read by calls from here as soon as threads would have begun. */
const FEW = 2000
const HEADS_IN_FLIGHT = 64
const HEADS_A_JOB = 500

async function readAll(base: string, paths: string[]): Promise<HeadRead[]> {
	if (paths.length <= FEW || (await runAsync(onHaven(isSlowToRead(base)))))
		return await runAsync(onHaven(readHeads(base, paths, HEADS_IN_FLIGHT)))
	const threads = startThreads()
	try {
		await threads.startAll()
		const jobs: Promise<HeadRead[]>[] = []
		for (let at = 0; at < paths.length; at += HEADS_A_JOB) {
			jobs.push(threads.run('readHeads', base, paths.slice(at, at + HEADS_A_JOB), 1))
		}
		return (await Promise.all(jobs)).flat()
	} finally {
		await threads.close()
	}
}

/** Behind the time of a folder that changed just now, another change may hide. */
const SETTLED_NS = 2_000_000_000n

function keep(cache: HeadCache, folders: ReceiptFolder[], paths: string[][], reads: HeadRead[], nowNs: bigint): void {
	let at = 0
	for (const [index, folder] of folders.entries()) {
		const end = at + (paths[index]?.length ?? 0)
		const own = reads.slice(at, end)
		at = end
		const heads = own.flatMap((read) => (read && 'head' in read ? [read.head] : []))
		if (heads.length === own.length && nowNs - folder.mtimeNs > SETTLED_NS) cache.set(folder, heads)
	}
}
