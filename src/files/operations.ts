import type nodeFs from 'node:fs'
import { fs } from './builtins.ts'
import { type Io, operation } from './io.ts'
import type { PathLike } from './names.ts'

/** A stat with times in ns and inodes in full. */
export type Stat = nodeFs.BigIntStats

const bigint = { bigint: true } as const

/** Waits for so many ms, where calls are synchronous with this thread doing nothing else. */
export const pause = operation<[ms: number], void>(
	(ms) => void Atomics.wait(NEVER_CHANGED, 0, 0, ms),
	(ms: number, done: () => void) => setTimeout(done, ms),
)
const NEVER_CHANGED = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/** open(2); flags as in fs.constants. */
export const open = operation<[path: PathLike, flags: number, mode?: number], number>(fs.openSync, fs.open)
/** close(2). */
export const close = operation<[fd: number], void>(fs.closeSync, fs.close)
/** pread(2), or read(2) where the position is null: the number of bytes read. */
export const read = operation<
	[fd: number, buffer: Buffer, offset: number, length: number, position: number | null],
	number
>(fs.readSync, fs.read)
/** pwrite(2), or write(2): the number of bytes written, which may be fewer than asked. */
export const write = operation<
	[fd: number, buffer: Buffer, offset: number, length: number, position: number | null],
	number
>(fs.writeSync, fs.write)
/** fsync(2). */
export const fsync = operation<[fd: number], void>(fs.fsyncSync, fs.fsync)
/** fchown(2). */
export const fchown = operation<[fd: number, uid: number, gid: number], void>(fs.fchownSync, fs.fchown)
/** fchmod(2). */
export const fchmod = operation<[fd: number, mode: number], void>(fs.fchmodSync, fs.fchmod)
/** futimens(2), in seconds; a double holds today's to within 0.2 µs. */
export const futimes = operation<[fd: number, atime: number, mtime: number], void>(fs.futimesSync, fs.futimes)
/** utimensat(2), in seconds. */
export const utimes = operation<[path: PathLike, atime: number, mtime: number], void>(fs.utimesSync, fs.utimes)
/** mkdir(2). */
export const mkdir = operation<[path: PathLike, mode: number], string | undefined>(fs.mkdirSync, fs.mkdir)
/** rmdir(2). */
export const rmdir = operation<[path: PathLike], void>(fs.rmdirSync, fs.rmdir)
/** unlink(2). */
export const unlink = operation<[path: PathLike], void>(fs.unlinkSync, fs.unlink)
/** rename(2). */
export const rename = operation<[from: PathLike, to: PathLike], void>(fs.renameSync, fs.rename)
/** link(2). */
export const link = operation<[from: PathLike, to: PathLike], void>(fs.linkSync, fs.link)
/** ioctl(FICLONE) by copy_file(COPYFILE_FICLONE_FORCE): fails where the file system can't share blocks. */
export const reflink = operation<[from: PathLike, to: PathLike, mode: number], void>(fs.copyFileSync, fs.copyFile)
/** fstat(2). */
const fstat = operation<[fd: number, options: typeof bigint], Stat>(
	(fd, options) => fs.fstatSync(fd, options),
	fs.fstat,
)
/** lstat(2). */
export const lstat = operation<[path: PathLike, options: typeof bigint], Stat>(
	(path, options) => fs.lstatSync(path, options),
	fs.lstat,
)
/** The names in a folder, as bytes. */
export const readdirBytes = operation<[path: PathLike, options: { encoding: 'buffer' }], Buffer[]>(
	(path, options) => fs.readdirSync(path, options),
	fs.readdir,
)
/** The names in a folder; bytes that are no UTF-8 come as U+FFFD. */
export const readdir = operation<[path: PathLike], string[]>((path) => fs.readdirSync(path), fs.readdir)
/** statfs(2). */
export const statfs = operation<[path: PathLike], nodeFs.StatsFs>((path) => fs.statfsSync(path), fs.statfs)

const maybe = { bigint: true, throwIfNoEntry: false } as const

const lstatOrNothing = operation<[path: PathLike, options: typeof maybe], Stat | undefined>(
	(path, options) => fs.lstatSync(path, options),
	(path: PathLike, options: typeof maybe, done: (error: Error | null, found?: Stat) => void) =>
		fs.lstat(path, options, (error, found) => (error?.code === 'ENOENT' ? done(null) : done(error, found))),
)

/** lstat(2), or undefined where nothing has that name. */
export function lstatIfThere(path: PathLike): Io<Stat | undefined> {
	return lstatOrNothing(path, maybe)
}

/** fstat(2) with times in ns. */
export function stat(fd: number): Io<Stat> {
	return fstat(fd, bigint)
}

/** Does the work with an opened file or folder, and closes it whatever happens. */
export function* withOpen<T>(path: PathLike, flags: number, work: (fd: number) => Io<T>, mode?: number): Io<T> {
	const fd = yield* open(path, flags, mode)
	try {
		return yield* work(fd)
	} finally {
		yield* close(fd)
	}
}
