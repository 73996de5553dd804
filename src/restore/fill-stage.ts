import { removeBelow } from '../files/folders.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { Combined } from './add-backups.ts'
import { withDataFolder } from './data-folders.ts'
import type { TablePlace } from './places.ts'
import { restoreTable, type TableResult } from './restore-table.ts'
import { makeStage, STAGE, type Stage } from './stage.ts'
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
	await makeStage(stage, keyspace)
	const onBytes = (bytes: number) => tell({ type: 'progress', bytes })
	const ways = { link: false, acceptDamaged, owner: stage.owner, signal, onBytes }
	const fill = withDataFolder(stage.directory, `${STAGE}/${keyspace}`, function* (parent) {
		yield* removeBelow(parent, name)
		return yield* restoreTable({ base, receipt, parent, name, ...ways })
	})
	return await runAsync(fill)
}
