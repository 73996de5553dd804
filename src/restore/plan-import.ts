import { nodeVersion, tablesOf } from '../cassandra/nodetool.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { liveSSTables, missingData, tableFolders } from './live-sstables.ts'
import { placeFor, type TablePlace } from './places.ts'
import { chooseTables } from './plan.ts'
import { hasNoImport } from './put-and-refresh.ts'
import { readReceiptFor } from './receipt-for.ts'
import { schemaWarnings } from './schema-warnings.ts'
import { findStage, type Stage } from './stage.ts'
import type { ImportOptions, PlannedTable, Refusal, RestorePlan } from './types.ts'

/** What an import is going to do. */
export interface ImportPlan extends RestorePlan {
	stage: Stage
	/** Tables that the node lacks, and that are to be made. */
	toMake: PlannedTable[]
	/** The keyspaces that the node has. */
	keyspaces: Set<string>
	/** The node has no `nodetool import`: SSTables are put into the live folder, and `nodetool refresh` loads them. */
	byRefresh: boolean
}

/**
 * Finds out what is to be imported into the running node; nothing is written. SSTables that a table has already are not
 * brought again, so that a run that was interrupted goes on. Tables that the node lacks are refused, unless they are to be
 * made. Throws as planRestore does, and where nodetool can't be called.
 */
export async function planImport(haven: Haven, options: ImportOptions, signal: AbortSignal): Promise<ImportPlan> {
	const { wanted, refused, warnings } = await chooseTables(haven, options)
	const stage = await findStage(options.dataDirectories, haven.path)
	const onNode = await tablesOf(options.nodetool, signal)
	const plan: ImportPlan = {
		tables: [],
		refused,
		warnings,
		bytesNeeded: 0,
		bytesFree: stage.bytesFree,
		stage,
		toMake: [],
		keyspaces: new Set(onNode.keys()),
		byRefresh: hasNoImport(await nodeVersion(options.nodetool, signal)),
	}
	for (const head of wanted) {
		signal.throwIfAborted()
		const place = placeFor(stage.root, head, options.as)
		const isMade = onNode.get(place.keyspace)?.has(place.name) ?? false
		if (!isMade && options.making === undefined) {
			plan.refused.push(lacking(place, head, options.as !== undefined))
			continue
		}
		const missing = await bytesToBring(haven, { head, place }, options)
		const table = { head, place, isThere: isMade && missing === 0 }
		plan.tables.push(table)
		if (!isMade) plan.toMake.push(table)
		plan.bytesNeeded += missing
	}
	const made = plan.tables.filter((table) => !plan.toMake.includes(table))
	plan.warnings.push(...(await schemaWarnings(haven, made, options.cql, signal)))
	return plan
}

function lacking({ keyspace, name }: TablePlace, head: SealedHead, isOther: boolean): Refusal {
	return {
		keyspace,
		name,
		reason: `the node has no such table; ${isOther ? 'make it with the same columns' : 'make it by its schema, or give --create-schema'}`,
		isDamage: false,
		lacking: head,
	}
}

/** What the table lacks of the snapshot. What is wrong with the receipt shows when it is restored. */
async function bytesToBring(
	haven: Haven,
	{ head, place }: Pick<PlannedTable, 'head' | 'place'>,
	options: ImportOptions,
): Promise<number> {
	const read = await runAsync(onHaven(readReceiptFor(haven.base, head, options)))
	if (!('receipt' in read)) return head.byteCount
	const files = await filesToBring(read.receipt, place, options.dataDirectories)
	return files.reduce((sum, { size }) => sum + size, 0)
}

/** The components of the base table's SSTables that it lacks: indexes are built anew by import, or are among these (SAI). */
export async function filesToBring(
	receipt: Receipt,
	{ keyspace, name }: TablePlace,
	dataDirectories: string[],
): Promise<ReceiptFile[]> {
	const folders = await runAsync(tableFolders(dataDirectories, keyspace, name))
	const missing = await runAsync(missingData(receipt, await runAsync(liveSSTables(folders))))
	const prefixes = new Set(missing.map(({ path }) => parseComponent(path)?.prefix))
	return receipt.files.filter(({ path }) => !path.includes('/') && prefixes.has(parseComponent(path)?.prefix ?? '?'))
}
