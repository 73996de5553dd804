import { accessSync, constants } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'

/** File systems that can clone a file in one call, and how each is made. */
const cloning = [
	['mkfs.xfs', '-q', '-m', 'reflink=1'],
	['mkfs.btrfs', '-q'],
] as const

/** A disk whose state at any instant can be kept, as a power cut at that instant would leave it. */
export interface Disk {
	/** Where it is mounted. */
	path: string
	/** Keeps what is on the disk now, and not what the system still holds in memory; hands back the image's path. */
	cut: (name: string) => Promise<string>
	/** Mounts a kept image, whose journal is replayed by that, for as long as `use` takes, and drops the image after it. */
	withImage: <T>(image: string, use: (path: string) => Promise<T>) => Promise<T>
	/** Unmounts all, and forgets all that was kept. */
	remove: () => Promise<void>
}

/** What this machine lacks to make such a disk; undefined where it can. */
export function diskMissing(type: Cuttable = 'ext4'): string | undefined {
	if (process.getuid?.() !== 0) return 'needs root to mount'
	if (!works('unshare', '--mount', 'true')) return 'needs the right to mount'
	if (!accessible('/dev/loop-control')) return 'needs loop devices'
	const [make = ''] = cuttable[type].make
	if (!works(make, '-V')) return `needs ${make}`
	if (cloning.every(([tool]) => !works(tool, '--version') && !works(tool, '-V'))) return 'needs mkfs.xfs or mkfs.btrfs'
	return undefined
}

/** File systems whose power may be cut: how each is made, and mounted so that it writes its journal each second, or often. */
const cuttable = {
	ext4: { make: ['mkfs.ext4', '-q'], options: 'loop,commit=1' },
	// A clone beside its original, which has the same UUID.
	xfs: { make: ['mkfs.xfs', '-q'], options: 'loop,nouuid' },
	// The same needs no option there from Linux 6.7 on.
	btrfs: { make: ['mkfs.btrfs', '-q'], options: 'loop,commit=1' },
}

/** What a disk that is cut may be formatted with. */
export type Cuttable = keyof typeof cuttable

/** Makes a disk of so many MB in a file on a file system that clones. */
export async function makeDisk(sizeMB: number, type: Cuttable = 'ext4'): Promise<Disk> {
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-disk-'))
	const [outer, outerImage, path] = [join(own, 'outer'), join(own, 'outer.img'), join(own, 'mount')]
	const image = join(outer, 'disk.img')
	const remove = async () => {
		for (const mount of [path, outer]) await execa('umount', ['--lazy', mount], { reject: false, timeout: 60_000 })
		await rm(own, { recursive: true, force: true })
	}
	try {
		for (const folder of [outer, path]) await mkdir(folder)
		await sparseFile(outerImage, sizeMB * 8)
		const [tool, ...flags] = cloning.find(([name]) => works(name, '--version') || works(name, '-V')) ?? cloning[0]
		await execa(tool, [...flags, outerImage])
		await execa('mount', ['-o', 'loop', outerImage, outer])
		await sparseFile(image, sizeMB)
		const { make, options } = cuttable[type]
		await execa(make[0] ?? '', [...make.slice(1), image])
		await execa('mount', ['-o', options, image, path])
	} catch (error) {
		await remove()
		throw error
	}
	const cut = async (name: string) => {
		const kept = join(outer, `${name}.img`)
		await copyFile(image, kept, constants.COPYFILE_FICLONE_FORCE)
		return kept
	}
	return { path, cut, withImage: (...args) => withImage(type, ...args), remove }
}

async function withImage<T>(type: Cuttable, image: string, use: (path: string) => Promise<T>): Promise<T> {
	const path = `${image}.mount`
	await mkdir(path)
	await execa('mount', ['-o', cuttable[type].options, image, path])
	try {
		return await use(path)
	} finally {
		await execa('umount', ['--lazy', path], { timeout: 60_000 })
		await rm(path, { recursive: true })
		await rm(image)
	}
}

async function sparseFile(path: string, sizeMB: number): Promise<void> {
	await writeFile(path, '')
	await truncate(path, sizeMB * 1024 * 1024)
}

function works(command: string, ...args: string[]): boolean {
	return execaSync(command, args, { reject: false }).exitCode === 0
}

function accessible(path: string): boolean {
	try {
		accessSync(path)
		return true
	} catch {
		return false
	}
}
