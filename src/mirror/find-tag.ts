import { findTables, tableName } from '../cassandra/find-tables.ts'
import { failure } from '../errors.ts'
import { runAsync } from '../files/io.ts'
import { openExistingHaven } from '../haven/haven.ts'
import { lookForTag, type TagLook } from './tag-look.ts'
import type { SyncOptions } from './types.ts'

/** Which tag of which tables is looked for, and where. */
export interface TagOptions
	extends Pick<SyncOptions, 'dataDirectories' | 'keyspaces' | 'haven' | 'stateDirectory' | 'matchesTable'> {
	tag: string
	/** How a haven is opened that is to be made, or that is another node's; else it must be there, and this node's. */
	beginning?: Pick<SyncOptions, 'newHaven' | 'takeOver' | 'requireMount'>
}

/**
 * What node and haven have of the tag, table by table; those that neither has it of are left out, and so are the skipped
 * (`keyspace/table`). Writes nothing. Throws SnaphavenError for what can't be looked at: never is a part taken for all.
 */
export async function findTag(options: TagOptions, skipped: ReadonlySet<string> = new Set()): Promise<TagLook[]> {
	const { dataDirectories, keyspaces, stateDirectory, beginning } = options
	const { tables, troubles } = await runAsync(findTables(dataDirectories, keyspaces))
	if (troubles[0] !== undefined) throw failure(troubles[0], 'Run as a user who may read Cassandra’s data.')
	const ownership = beginning ?? { newHaven: false, takeOver: false, requireMount: false }
	const place = { path: options.haven, dataDirectories, stateDirectory, ...ownership, warn: () => {} }
	const haven = await openExistingHaven(place)
	if (!haven && !beginning) {
		throw failure(
			`there is no haven at ${options.haven}`,
			'Is it mounted, and is it what -s of the service, or of the pass, says?',
		)
	}
	try {
		const wanted = tables.filter(
			(location) => options.matchesTable(tableName(location.table)) && !skipped.has(tableKey(location)),
		)
		return await runAsync(lookForTag(haven?.base, wanted, options.tag))
	} finally {
		await haven?.close()
	}
}

/** `keyspace/table`, which tells any two tables apart. */
export function tableKey({ keyspace, table }: { keyspace: string; table: string }): string {
	return `${keyspace}/${table}`
}
