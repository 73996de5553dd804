import { stat, statfs } from 'node:fs/promises'
import { failure, usageError } from '../errors.ts'
import { ownAs } from '../files/contents.ts'
import { FOLDER, makeFolder, removeTree } from '../files/folders.ts'
import { hasCode, type Io, runAsync } from '../files/io.ts'
import { fchmod, withOpen } from '../files/operations.ts'
import { checkPlace } from '../haven/place.ts'

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
const STAGE = '.snaphaven-restore'

/** Where a data directory's stage is. */
export function stageRoot(dataDirectory: string): string {
	return `${dataDirectory}/${STAGE}`
}

/** Finds the data directory with the most free space for the stage; nothing is made. Throws for data directories that are none. */
export async function findStage(dataDirectories: string[], haven: string): Promise<Stage> {
	const [first, ...others] = await findStages(dataDirectories, haven)
	if (first === undefined) throw usageError('no data directory is named')
	return others.reduce((best, stage) => (stage.bytesFree > best.bytesFree ? stage : best), first)
}

/** The same in each data directory. */
export async function findStages(dataDirectories: string[], haven: string): Promise<Stage[]> {
	await checkPlace(haven, dataDirectories)
	return await Promise.all(dataDirectories.map(stageIn))
}

async function stageIn(dataDirectory: string): Promise<Stage> {
	const root = stageRoot(dataDirectory)
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
export async function makeStage({ root, owner }: Stage, keyspace: string): Promise<void> {
	try {
		for (const path of [root, `${root}/${keyspace}`]) await runAsync(makeOwned(path, owner))
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(`${root} can’t be made (${error.code})`, 'Run as the user that Cassandra runs as, or as root.', error)
	}
}

function* makeOwned(path: string, owner: Stage['owner']): Io<void> {
	yield* makeFolder(path, 0o700)
	yield* withOpen(path, FOLDER, function* (fd) {
		yield* ownAs(fd, owner)
		yield* fchmod(fd, 0o700)
	})
}

/** Removes the stage with all that is left in it. */
export async function clearStage({ root }: Stage): Promise<void> {
	await runAsync(removeTree(root))
}
