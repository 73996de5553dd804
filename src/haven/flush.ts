import { release } from 'node:os'
import { isAbsolute } from 'node:path'
import { fs } from '../files/builtins.ts'
import { runAsync } from '../files/io.ts'
import { statfs } from '../files/operations.ts'

/** How what was written to a haven is forced to stable storage. */
export type FlushWay =
	/** One syncfs(2) for a whole group: much the cheapest where a local disk keeps a journal. */
	| 'file system'
	/** fsync(2) of every file and folder. */
	| 'each file'

/**
 * File systems (statfs(2) f_type, linux/magic.h) whose syncfs writes all back and reports what failed: ext2/3/4, XFS,
 * btrfs, tmpfs, F2FS, ZFS. Elsewhere it may not reach the server (FUSE answers it alone), so each file is flushed.
 */
const SYNCFS_IS_TRUE = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1])

/** Finds the way for the file system under this path. */
export async function flushWayOf(path: string): Promise<FlushWay> {
	const { type } = await runAsync(statfs(path))
	return SYNCFS_IS_TRUE.has(type) && tellsFailures(release()) && hasPrograms() ? 'file system' : 'each file'
}

/** Before Linux 5.8 syncfs(2) reported no failed writes, as its manual says. */
export function tellsFailures(kernel: string): boolean {
	const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
	return major > 5 || (major === 5 && minor >= 8)
}

/** Whether there is coreutils' sync, which has -f since 8.24 (busybox's has it too), and a shell to start it. */
function hasPrograms(): boolean {
	const folders = (process.env['PATH'] ?? '').split(':').filter(isAbsolute)
	return ['sync', 'sh'].every((program) => folders.some((folder) => fs.existsSync(`${folder}/${program}`)))
}
