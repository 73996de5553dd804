import { removeTree } from '../files/folders.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { Combined } from './add-backups.ts'
import { folderOf, type TablePlace } from './places.ts'
import { restoreTable, type TableResult } from './restore-table.ts'
import { makeStage, type Stage } from './stage.ts'
import type { ChooseOptions, RestoreEvent } from './types.ts'

/** What a stage is filled for. */
interface Filling {
	haven: Haven
	options: Pick<ChooseOptions, 'acceptDamaged'>
	signal: AbortSignal
	tell: (event: RestoreEvent) => void
}

/** Copies files of a table into a stage, each held against its receipt, as the owner of the data directory. */
export async function fillStage(
	{ haven: { base }, options: { acceptDamaged }, signal, tell }: Filling,
	stage: Stage,
	{ keyspace, name }: Pick<TablePlace, 'keyspace' | 'name'>,
	receipt: Combined,
): Promise<TableResult> {
	const place = { root: stage.root, keyspace, name }
	await makeStage(stage, keyspace)
	await runAsync(removeTree(folderOf(place)))
	const onBytes = (bytes: number) => tell({ type: 'progress', bytes })
	const ways = { link: false, acceptDamaged, owner: stage.owner, signal, onBytes }
	return await runAsync(restoreTable({ base, receipt, place, ...ways }, false))
}
