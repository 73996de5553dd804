import { failure } from '../errors.ts'
import type { Haven } from '../haven/haven.ts'
import type { Engine } from './engine.ts'

/**
 * Makes all that was written to the haven so far durable. `folders`, relative to it, are those whose entries changed:
 * they are flushed one by one where that is the haven's way.
 */
export async function flushHaven(
	{ engine, haven }: { engine: Engine; haven: Haven },
	folders: Iterable<string>,
): Promise<void> {
	if (haven.flushWay === 'file system') return await haven.flushFileSystem()
	if (!haven.record.capabilities.folderFlush) return
	await engine.run(
		'flushFolders',
		Array.from(new Set(folders), (folder) => `${haven.base}/${folder}`),
	)
}

/**
 * The same for a group that was gathered. Fails where any flush has failed since the first of it was begun, also another's:
 * the kernel tells of a lost write once, and it may be one of these.
 */
export async function flushGroup(
	options: { engine: Engine; haven: Haven },
	group: readonly { flushFailures: number }[],
	folders: Iterable<string>,
): Promise<void> {
	await flushHaven(options, folders)
	if (group.every(({ flushFailures }) => flushFailures === options.haven.flushFailures())) return
	throw failure('a flush of the haven failed after it was begun: its bytes may be lost')
}
