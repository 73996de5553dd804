import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'

/** What this machine lacks to mount a tmpfs and compare with other tools; undefined where it can. */
export function placesMissing(): string | undefined {
	if (execaSync('unshare', ['--mount', 'true'], { reject: false }).exitCode !== 0) return 'needs root to mount'
	if (execaSync('rsync', ['--version'], { reject: false }).exitCode !== 0) return 'needs rsync'
	return undefined
}

/**
 * A tmpfs of its own, of at most so many MB, for as long as `use` takes. Each timed run gets a fresh one: a folder in
 * which much was deleted is slower, and unmounting gives the memory back outside of the time that is taken.
 */
export function onTmpfs<T>(sizeMB: number, use: (path: string) => Promise<T>): Promise<T> {
	return inFolder(async (path) => {
		await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeMB}m`, 'snaphaven-bench', path])
		try {
			return await use(path)
		} finally {
			await execa('umount', ['--lazy', path])
		}
	})
}

/** A new folder on the machine's own disk, for as long as `use` takes. */
export async function inFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
	const path = await mkdtemp(join(tmpdir(), 'snaphaven-bench-'))
	try {
		return await use(path)
	} finally {
		await rm(path, { recursive: true, force: true })
	}
}
