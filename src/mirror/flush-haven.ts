import { SnaphavenError } from '../errors.ts'
import { FLUSH_HINT } from '../haven/flusher.ts'
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

/** So often something is gathered anew because flushes of something else fail. */
export const OTHERS_FAILURES_MAX = 5

/** A flush of something else failed after this was begun, and this may be what it lost. */
export class FlushFailedMeanwhile extends SnaphavenError {
	constructor() {
		super('a flush of the haven failed after it was begun: its bytes may be lost', {
			exitCode: 1,
			hint: FLUSH_HINT,
		})
	}
}

/**
 * The same for what was begun when so many flushes had failed. Throws FlushFailedMeanwhile where there are more by now:
 * the kernel tells of a lost write once (errseq, syncfs(2)), and it may be one of these.
 */
export async function flushGroup(
	options: { engine: Engine; haven: Haven },
	group: readonly { flushFailures: number }[],
	folders: Iterable<string>,
): Promise<void> {
	await flushHaven(options, folders)
	checkFlushes(options.haven, group)
}

/** Throws FlushFailedMeanwhile where a flush has failed since any of these was begun. */
export function checkFlushes(haven: Haven, begun: readonly { flushFailures: number }[]): void {
	if (begun.some(({ flushFailures }) => flushFailures !== haven.flushFailures())) throw new FlushFailedMeanwhile()
}
