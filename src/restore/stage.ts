import { stat, statfs } from 'node:fs/promises'
import { failure, usageError } from '../errors.ts'
import { ownAs } from '../files/contents.ts'
import { removeBelow } from '../files/folders.ts'
import { hasCode, runAsync } from '../files/io.ts'
import { fchmod, lstatIfThere } from '../files/operations.ts'
import { checkPlace } from '../haven/place.ts'
import { withDataFolder } from './data-folders.ts'

/** Where copies are gathered for a node to move in. */
export interface Stage {
	/** The data directory, absolute. */
	directory: string
	/** The stage in it. */
	root: string
	/** Of the file system (st_dev). */
	device: bigint
	/** Who the data directory belongs to: Cassandra's user. */
	owner: { uid: number; gid: number }
	/** Bytes that are free there (statfs(2)). */
	bytesFree: number
}

/**
 * In the data directory itself, which alone is sure to be on its file system, so that SSTables are moved in by renames.
 * Neither Cassandra nor snaphaven takes a name with a dot for a keyspace.
 */
export const STAGE = '.snaphaven-restore'

/**
 * Finds the data directory for the stage: the one where a run was interrupted, else that with the most free space. Nothing
 * is made. Throws for data directories that are none.
 */
export async function findStage(dataDirectories: string[], haven: string): Promise<Stage> {
	const stages = await findStages(dataDirectories, haven)
	const [first, ...others] = stages
	if (first === undefined) throw usageError('no data directory is named')
	for (const stage of stages) if (await runAsync(lstatIfThere(stage.root))) return stage
	return others.reduce((best, stage) => (stage.bytesFree > best.bytesFree ? stage : best), first)
}

/** The same in each data directory. */
export async function findStages(dataDirectories: string[], haven: string): Promise<Stage[]> {
	await checkPlace(haven, dataDirectories)
	return await Promise.all(dataDirectories.map(stageIn))
}

async function stageIn(dataDirectory: string): Promise<Stage> {
	const root = `${dataDirectory}/${STAGE}`
	if (/[\s*?[]/.test(root)) {
		throw usageError(`the data directory ${dataDirectory} can’t be given to nodetool: its script would take it apart`)
	}
	try {
		const { uid, gid, dev: device } = await stat(dataDirectory, { bigint: true })
		const { bavail, bsize } = await statfs(dataDirectory)
		const owner = { uid: Number(uid), gid: Number(gid) }
		return { directory: dataDirectory, root, device, owner, bytesFree: bavail * bsize }
	} catch (error) {
		if (!hasCode(error)) throw error
		throw usageError(
			`the data directory ${dataDirectory} can’t be looked at (${error.code})`,
			'Give the folder above Cassandra’s "data" with -d, each data directory with --data-dir, or --cassandra-yaml.',
		)
	}
}

/** Makes the stage and a keyspace's folder in it, Cassandra's user's own. */
export async function makeStage({ directory, root, owner }: Stage, keyspace: string): Promise<void> {
	const making = { mode: 0o700, owner }
	try {
		for (const path of [STAGE, `${STAGE}/${keyspace}`]) {
			await runAsync(
				withDataFolder(
					directory,
					path,
					function* (folder) {
						yield* ownAs(folder, owner)
						yield* fchmod(folder, 0o700)
					},
					making,
				),
			)
		}
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(`${root} can’t be made (${error.code})`, 'Run as the user that Cassandra runs as, or as root.', error)
	}
}

/** Removes a data directory's stage with all that is left in it. */
export async function clearStage(dataDirectory: string): Promise<void> {
	await runAsync(withDataFolder(dataDirectory, '', (folder) => removeBelow(folder, STAGE)))
}
