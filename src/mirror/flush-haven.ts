import { flushFileSystem } from '../haven/flush.ts'
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
	if (haven.flushWay === 'file system') return await flushFileSystem(haven.root)
	if (!haven.record.capabilities.folderFlush) return
	await engine.run(
		'flushFolders',
		Array.from(new Set(folders), (folder) => `${haven.base}/${folder}`),
	)
}
