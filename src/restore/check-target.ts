import { realpath, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { usageError } from '../errors.ts'
import { fs } from '../files/builtins.ts'
import { hasCode } from '../files/io.ts'

/**
 * Refuses folders that nothing may be restored to: the haven or a place in it, and Cassandra's own data directories,
 * where it would be taken for keyspaces. Links are resolved as far as the path exists.
 */
export async function checkTarget(to: string, haven: string): Promise<void> {
	const target = await realPath(to)
	const home = await realpath(haven)
	if (target === home || target.startsWith(`${home}/`)) {
		throw usageError(
			`${to} lies inside the haven ${haven}`,
			'Nothing but snapshots goes there: give a folder elsewhere.',
		)
	}
	for (let folder = target; folder !== dirname(folder); folder = dirname(folder)) {
		if (!SYSTEM.some((keyspace) => fs.existsSync(`${folder}/${keyspace}`))) continue
		throw usageError(
			`${to} lies inside ${folder}, which looks like a data directory of Cassandra`,
			'Give a folder elsewhere, which nodetool import or sstableloader then loads.',
		)
	}
	const found = await stat(existingPart(target))
	if (!found.isDirectory()) throw usageError(`${to} can’t be a folder: ${existingPart(target)} is none`)
}

/** Keyspaces that every node has. */
const SYSTEM = ['system', 'system_schema', 'system_auth']

/** Bytes that an ordinary user may write at a path that need not be there yet (statfs(2)). */
export async function bytesFreeAt(path: string): Promise<number> {
	const { bavail, bsize } = await statfs(existingPart(path))
	return bavail * bsize
}

function existingPart(path: string): string {
	return fs.existsSync(path) || path === dirname(path) ? path : existingPart(dirname(path))
}

async function realPath(path: string): Promise<string> {
	try {
		return await realpath(path)
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
		return join(await realPath(dirname(path)), basename(path))
	}
}
