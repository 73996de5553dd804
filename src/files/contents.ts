import { constants } from './builtins.ts'
import { hasCode, type Io } from './io.ts'
import type { PathLike } from './names.ts'
import { fchown, fsync, read, stat, withOpen, write } from './operations.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY, O_CREAT, O_EXCL } = constants

/** Flags to read a file that others may have put there: follows no link, and does not wait for a FIFO's writer. */
export const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
/** Flags to write a file that must not be there yet. */
export const CREATE = O_WRONLY | O_CREAT | O_EXCL

/** Reads a regular file whole. Fails with a RangeError, EFBIG, where it is larger than `limit` bytes. */
export function readWhole(path: PathLike, limit: number): Io<Buffer> {
	return withOpen(path, READ, function* (fd) {
		const found = yield* stat(fd)
		if (!found.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'EINVAL' })
		if (found.size > limit) {
			const message = `${found.size} bytes, where at most ${limit} were expected`
			throw Object.assign(new RangeError(message), { code: 'EFBIG' })
		}
		const buffer = Buffer.allocUnsafe(Number(found.size) + 1)
		return buffer.subarray(0, yield* readFully(fd, buffer, 0, null))
	})
}

/** Fills the buffer from the file, as far as it goes: the number of bytes read. */
export function* readFully(fd: number, buffer: Buffer, length: number, position: number | null): Io<number> {
	const wanted = length || buffer.length
	let done = 0
	while (done < wanted) {
		const got = yield* read(fd, buffer, done, wanted - done, position === null ? null : position + done)
		if (got === 0) break
		done += got
	}
	return done
}

/** Writes all of it, however the kernel divides it. */
export function* writeFully(fd: number, buffer: Buffer, length: number, position: number | null): Io<void> {
	let done = 0
	while (done < length) {
		done += yield* write(fd, buffer, done, length - done, position === null ? null : position + done)
	}
}

/** Makes a new file with these contents; `flush` forces it to stable storage before it is closed. */
export function createFile(path: PathLike, text: string, options: { mode: number; flush: boolean }): Io<void> {
	return withOpen(
		path,
		CREATE,
		function* (fd) {
			const bytes = Buffer.from(text, 'utf8')
			yield* writeFully(fd, bytes, bytes.length, null)
			if (options.flush) yield* fsync(fd)
		},
		options.mode,
	)
}

const IS_ROOT = process.geteuid?.() === 0

/** Whether what we made is to become another's. */
export function isToOwn({ uid, gid }: { uid: number; gid: number }): boolean {
	return IS_ROOT && (uid !== 0 || gid !== 0)
}

/**
 * fchown, where the owner is another and we may: an ordinary user's copy stays the user's own, and so does root's on a
 * NAS that does not let root give files away (root_squash) or has no such owners.
 */
export function* ownAs(fd: number, owner: { uid: number; gid: number }): Io<void> {
	if (!isToOwn(owner)) return
	try {
		yield* fchown(fd, owner.uid, owner.gid)
	} catch (error) {
		if (!hasCode(error, 'EPERM', 'EACCES', 'EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) throw error
	}
}
