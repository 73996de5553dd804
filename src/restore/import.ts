import { importSSTables, refreshTable } from '../cassandra/nodetool.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import { onHaven } from '../haven/trouble.ts'
import { countRows } from './count-rows.ts'
import { createTable } from './create-table.ts'
import { inDataDirectory } from './data-folders.ts'
import { finishBeforeRefresh } from './earlier-moves.ts'
import { fillStage } from './fill-stage.ts'
import { type LiveSSTable, liveSSTables, tableFolders } from './live-sstables.ts'
import { holdFolder } from './one-at-a-time.ts'
import { folderOf } from './places.ts'
import { requireSpace } from './plan.ts'
import { filesToBring, type ImportPlan } from './plan-import.ts'
import { putAndRefresh } from './put-and-refresh.ts'
import { readReceiptFor } from './receipt-for.ts'
import type { FileDamage } from './restore-table.ts'
import { clearStage } from './stage.ts'
import type { ImportOptions, PlannedTable, RestoreEvent, RowCounts } from './types.ts'
import { understood } from './understood.ts'

/** What an import works with. */
interface Import {
	haven: Haven
	plan: ImportPlan
	options: ImportOptions
	signal: AbortSignal
	tell: (event: RestoreEvent) => void
}

/**
 * Imports what a plan says into the running node, one table after the other: a private copy is staged, and moved in by
 * the node. It counts by what is left in the stage and what the table has then, never by nodetool's exit code. Throws as
 * `restore` does.
 */
export async function importTables(work: Import): Promise<void> {
	const { plan, options, signal } = work
	const { directory, root } = plan.stage
	requireSpace(plan, root)
	const [dataDirectory = ''] = options.dataDirectories
	const release = await holdFolder(dataDirectory)
	try {
		if (plan.byRefresh) await finishBeforeRefresh(options.dataDirectories)
		for (const table of plan.tables) {
			signal.throwIfAborted()
			if (table.isThere) {
				if (plan.byRefresh) await refreshAgain(work, table)
				continue
			}
			const problem = plan.toMake.includes(table) ? await makeTable(work, table) : undefined
			if (problem === undefined) await inDataDirectory(directory, () => importTable(work, table))
			else refuseTable(work, table, problem)
			await inDataDirectory(directory, () => clearStage(directory))
		}
	} finally {
		release()
	}
}

/** Gives why it could not be made. */
async function makeTable({ haven, plan, options, signal }: Import, table: PlannedTable): Promise<string | undefined> {
	const { keyspace } = table.place
	const way = options.making ?? { cqlsh: 'cqlsh' }
	try {
		await createTable({ haven, table, withKeyspace: !plan.keyspaces.has(keyspace), way, signal })
		plan.keyspaces.add(keyspace)
		return undefined
	} catch (error) {
		return understood(error)
	}
}

/** What a run that was interrupted has put into the live folder may not be loaded yet. */
async function refreshAgain(work: Import, table: PlannedTable): Promise<void> {
	const { keyspace, name } = table.place
	try {
		await refreshTable(work.options.nodetool, { keyspace, table: name }, work.signal)
	} catch (error) {
		refuseTable(work, table, understood(error))
	}
}

function refuseTable(
	{ tell }: Import,
	table: PlannedTable,
	reason: string,
	isDamage = false,
	damage: FileDamage[] = [],
) {
	const { keyspace, name } = table.place
	tell({ type: 'refused', refusal: { keyspace, name, reason, isDamage }, damage, table })
}

async function importTable(work: Import, table: PlannedTable): Promise<void> {
	const { haven, plan, options, tell } = work
	const { head, place } = table
	const refuse = (reason: string, isDamage: boolean, damage?: FileDamage[]) =>
		refuseTable(work, table, reason, isDamage, damage)
	const read = await runAsync(onHaven(readReceiptFor(haven.base, head, options)))
	if (!('receipt' in read)) return refuse(read.problem, !read.gone)
	if (read.receipt.id !== head.id) return refuse('it was sealed anew meanwhile: run it again', false)
	const files = await filesToBring(read.receipt, place, options.dataDirectories)
	const receipt = { ...read.receipt, folders: [], files }
	const { restored, damage, leftOut, changed } = await fillStage(work, plan.stage, place, receipt)
	if (changed !== undefined) return refuse(`its snapshot was replaced or removed meanwhile (${changed})`, false)
	if (!restored) return refuse('the haven’s copy is damaged', true, damage)
	for (const one of damage) tell({ type: 'damaged file', table, ...one })
	const before = await rowsOf(work, table)
	// Where it goes by refresh, an earlier run may have left some in the live folder.
	const isNeeded = files.length > leftOut.length || plan.byRefresh
	const problem = isNeeded ? await moveIn(work, table) : undefined
	if (problem !== undefined) return refuse(problem, false)
	const rows = await rowsSince(work, table, before)
	tell({ type: 'restored', table, leftOut, ...(rows && { rows }) })
}

/** Undefined where they are not asked for; why they could not be counted, if so: that proves nothing of the import. */
async function rowsOf({ options, signal }: Import, { place }: PlannedTable): Promise<number | string | undefined> {
	if (!options.countRows || !options.cql) return undefined
	return await countRows(options.cql, place, signal).catch(understood)
}

async function rowsSince(
	work: Import,
	table: PlannedTable,
	before: number | string | undefined,
): Promise<RowCounts | undefined> {
	if (typeof before !== 'number') return before === undefined ? undefined : { problem: before }
	const after = await rowsOf(work, table)
	return typeof after === 'number' ? { before, after } : { problem: after ?? '' }
}

/** Has the node take the staged SSTables in. Gives why that can't be said to have succeeded. */
async function moveIn({ plan, options, signal }: Import, { place }: PlannedTable): Promise<string | undefined> {
	if (plan.byRefresh) return await putAndRefresh(options, place, plan.stage, signal)
	const { keyspace, name } = place
	const folder = folderOf(place)
	const look = async () =>
		await runAsync(liveSSTables(await runAsync(tableFolders(options.dataDirectories, keyspace, name))))
	const staged = await runAsync(liveSSTables([folder]))
	const before = await look()
	const output = await importSSTables(options.nodetool, { keyspace, table: name, folder }, signal).catch(understood)
	const left = await runAsync(liveSSTables([folder]))
	return whyNotProven({ staged, left, before, after: await look() }, output)
}

interface Seen {
	staged: LiveSSTable[]
	left: LiveSSTable[]
	before: LiveSSTable[]
	after: LiveSSTable[]
}

/**
 * Why an import can't be said to have succeeded; undefined where the stage is empty and the table has SSTables that it had
 * not before: the very ones, or, where a compaction was quicker, one made of them.
 */
function whyNotProven({ staged, left, before, after }: Seen, output: string): string | undefined {
	const said = output === '' ? '' : `; nodetool said: ${output}`
	if (left.length > 0) return `the node took ${staged.length - left.length} of ${staged.length} SSTables${said}`
	const known = new Set(before.map(({ ino }) => ino))
	if (after.some(({ ino }) => !known.has(ino))) return undefined
	return `the node took the SSTables, but none is in the table’s folders: is it another node’s nodetool, or other data directories?${said}`
}
