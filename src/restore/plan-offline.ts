import { parseComponent } from '../cassandra/sstable.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { currentFolder } from './current-folder.ts'
import { liveSSTables, missingData } from './live-sstables.ts'
import { placeFor } from './places.ts'
import { chooseTables } from './plan.ts'
import { readReceiptFor } from './receipt-for.ts'
import { refuseRunning } from './running.ts'
import { type Disk, freeOnAll, spread } from './spread.ts'
import { findStages } from './stage.ts'
import { foldersOf, whyNoFolder } from './table-folders.ts'
import type { OfflineOptions, PlannedTable, RestorePlan } from './types.ts'

/** A table that is put into its live folders. */
export interface OfflineTable extends PlannedTable {
	/** The name of its folder on the node, with the id that it has now. */
	folderName: string
	/** Which of the plan's disks each SSTable goes to (see spread). */
	places: Map<string, number>
}

/** What is going to be put into the live folders of a stopped node. */
export interface OfflinePlan extends RestorePlan {
	tables: OfflineTable[]
	disks: Disk[]
}

/**
 * Finds out what is to be put into the live folders; nothing is written. Throws while the node runs, and as planRestore
 * does.
 */
export async function planOffline(haven: Haven, options: OfflineOptions, signal: AbortSignal): Promise<OfflinePlan> {
	const { dataDirectories } = options
	const disks: Disk[] = (await findStages(dataDirectories, haven.path)).map((stage) => ({ ...stage, bytes: 0 }))
	await refuseRunning(dataDirectories)
	const { wanted, refused, warnings } = await chooseTables(haven, options)
	const plan: OfflinePlan = { tables: [], refused, warnings, bytesNeeded: 0, bytesFree: freeOnAll(disks), disks }
	for (const head of wanted) {
		signal.throwIfAborted()
		const place = placeFor(disks[0]?.root ?? '', head, undefined)
		const folders = await foldersOf(dataDirectories, place)
		const folderName = currentFolder(folders)
		if (folderName === undefined) {
			const { keyspace, name } = place
			plan.refused.push({ keyspace, name, reason: whyNoFolder(folders), isDamage: false })
			continue
		}
		const read = await runAsync(onHaven(readReceiptFor(haven.base, head, options)))
		const files = 'receipt' in read ? await filesToPut(read.receipt, { ...options, folderName }) : undefined
		const places = spread(files ?? [], disks)
		plan.tables.push({ head, place, folderName, places, isThere: files?.length === 0 && !options.replace })
		plan.bytesNeeded += files?.reduce((sum, { size }) => sum + size, 0) ?? head.byteCount
	}
	return plan
}

/**
 * The components of SSTables that the table's folders lack, those of its secondary indexes too: a node that starts takes
 * an index for complete. With `replace`, all of them.
 */
export async function filesToPut(
	receipt: Receipt,
	{
		dataDirectories,
		replace,
		folderName,
	}: Pick<OfflineOptions, 'dataDirectories' | 'replace'> & { folderName: string },
): Promise<ReceiptFile[]> {
	const wanted: ReceiptFile[] = []
	for (const index of ['', ...receipt.folders.map(({ path }) => `${path}/`)]) {
		const within = receipt.files.flatMap((file) => {
			const path = file.path.startsWith(index) ? file.path.slice(index.length) : '/'
			return path.includes('/') || !parseComponent(path) ? [] : [{ ...file, path }]
		})
		const folders = dataDirectories.map((path) => `${path}/${receipt.keyspace}/${folderName}/${index}`)
		const live = replace ? [] : await runAsync(liveSSTables(folders))
		const missing = await runAsync(missingData({ ...receipt, files: within }, live))
		const prefixes = new Set(missing.map(({ path }) => parseComponent(path)?.prefix))
		const files = within.filter(({ path }) => prefixes.has(parseComponent(path)?.prefix ?? '?'))
		wanted.push(...files.map((file) => ({ ...file, path: `${index}${file.path}` })))
	}
	return wanted
}
