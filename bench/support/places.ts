import { statfsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'

/** What this machine lacks to mount a tmpfs, compare with other tools, and see what they take; undefined where it can. */
export function placesMissing(): string | undefined {
	if (execaSync('unshare', ['--mount', 'true'], { reject: false }).exitCode !== 0) return 'needs root to mount'
	if (execaSync('rsync', ['--version'], { reject: false }).exitCode !== 0) return 'needs rsync'
	const time = execaSync('/usr/bin/time', ['--format=%M', '--output=/dev/null', 'true'], { reject: false })
	if (time.exitCode !== 0) return 'needs GNU time'
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

/**
 * The same, with so many MB of its memory written to just before: that of a virtual machine is several times as slow to
 * use after it was free for a while, for whoever comes first.
 */
export function onWarmTmpfs<T>(sizeMB: number, warmMB: number, use: (path: string) => Promise<T>): Promise<T> {
	return onTmpfs(sizeMB, async (path) => {
		const file = join(path, 'warm')
		await execa('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', `count=${warmMB}`])
		await rm(file)
		return await use(path)
	})
}

/** File systems that a disk of its own can have, and how each is made. */
const mkfs = { ext4: ['mkfs.ext4', '-q', '-F'], xfs: ['mkfs.xfs', '-q', '-f'] } as const
export type FileSystem = keyof typeof mkfs

/** What this machine lacks for `onDisk` and all else; undefined where it can. */
export function disksMissing(): string | undefined {
	const lacking = Object.values(mkfs).find(([program]) => execaSync(program, ['-V'], { reject: false }).exitCode !== 0)
	return placesMissing() ?? (lacking === undefined ? undefined : `needs ${lacking[0]}`)
}

/** What this machine's disk lacks for so many MiB; undefined where it has the room. */
export function roomMissing(megabytes: number): string | undefined {
	const { bsize, bavail } = statfsSync(tmpdir())
	return bsize * bavail > megabytes * 1024 * 1024 ? undefined : `needs ${megabytes} MiB free in ${tmpdir()}`
}

/**
 * A new file system of so many MB in a file on the machine's own disk, for as long as `use` takes; `uncached`: what it
 * does not hold in memory itself comes from the disk each time.
 */
export function onDisk<T>(
	fileSystem: FileSystem,
	sizeMB: number,
	use: (path: string) => Promise<T>,
	{ uncached = false } = {},
): Promise<T> {
	return inFolder(async (own) => {
		const [image, path] = [join(own, 'image'), join(own, 'mount')]
		await Promise.all([writeFile(image, ''), mkdir(path)])
		await truncate(image, sizeMB * 1024 * 1024)
		const [program, ...flags] = mkfs[fileSystem]
		await execa(program, [...flags, image])
		await mountImage(image, path, uncached)
		try {
			return await use(path)
		} finally {
			await execa('umount', ['--lazy', path])
		}
	})
}

async function mountImage(image: string, path: string, uncached: boolean): Promise<void> {
	const direct = `--direct-io=${uncached ? 'on' : 'off'}`
	const { stdout: device } = await execa('losetup', ['--find', '--show', direct, image])
	try {
		await execa('mount', [device, path])
	} finally {
		// Once mounted, it goes with its file system, however this ends.
		await execa('losetup', ['--detach', device])
	}
	const { stdout: isDirect } = await execa('losetup', ['--noheadings', '--output', 'DIO', device])
	if (uncached && isDirect.trim() !== '1') throw new Error(`${image} can’t be read without the page cache`)
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
