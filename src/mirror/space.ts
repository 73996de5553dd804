import { statfs } from 'node:fs/promises'
import { steadyMs } from '../files/builtins.ts'

/** Keeps account of the haven's free space, so that what will not fit is not begun. */
export interface Space {
	/** Sets so many bytes aside, where they are free. */
	reserve: (bytes: number) => Promise<boolean>
	/** So many bytes are no longer set aside. */
	release: (bytes: number) => void
	/** The same of bytes that were written: nobody who waits for space has a use for that. */
	written: (bytes: number) => void
	/** Bytes that are neither taken nor set aside, as last seen. */
	free: () => number
	isReserved: () => boolean
	/** Resolves when something that was set aside is released; at once where nothing is. */
	released: () => Promise<void>
}

/** What the haven showed stays true for so long, but for what was reserved since. */
const FRESH_MS = 500

/** Looks at the file system under this path (statfs(2), the space that an ordinary user may take). */
export function makeSpace(path: string): Space {
	let seen = { bytes: 0, at: Number.NEGATIVE_INFINITY }
	let reserved = 0
	let waiters: (() => void)[] = []
	const look = async () => {
		if (steadyMs() - seen.at < FRESH_MS) return
		const { bavail, bsize } = await statfs(path)
		seen = { bytes: bavail * bsize, at: steadyMs() }
	}
	const fits = (bytes: number) => reserved + bytes <= seen.bytes
	const written = (bytes: number) => {
		reserved -= bytes
		// A look (statfs(2)) for each would cost more than a small copy.
		seen.bytes -= bytes
	}
	return {
		reserve: async (bytes) => {
			await look()
			if (!fits(bytes)) {
				seen.at = Number.NEGATIVE_INFINITY
				await look()
			}
			if (!fits(bytes)) return false
			reserved += bytes
			return true
		},
		written,
		release: (bytes) => {
			// It may all have been taken.
			written(bytes)
			const waiting = waiters
			waiters = []
			for (const wake of waiting) wake()
		},
		free: () => Math.max(0, seen.bytes - reserved),
		isReserved: () => reserved > 0,
		released: () => (reserved === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
	}
}
