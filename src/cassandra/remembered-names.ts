import type { Io } from '../files/io.ts'
import type { Stat } from '../files/operations.ts'

/** What was read in a folder when it was this one and had this mtime. */
interface Remembered {
	dev: bigint
	ino: bigint
	mtimeNs: bigint
	names: unknown
}

const remembered = new Map<string, Remembered>()

/** Within one tick of its clock a folder can change and keep its mtime: what changed this lately is read again. */
const TICK_NS = 2_000_000_000n

/**
 * What `read` gives of a folder's names, or gave in this thread under this key when the folder was the same and had the
 * same mtime. `found` is the folder's stat from before, so that a change in between shows by the next one.
 */
export function* rememberedNames<T>(key: string, found: Stat, read: () => Io<T>): Io<T> {
	const { dev, ino, mtimeNs } = found
	const known = remembered.get(key)
	if (known && known.ino === ino && known.dev === dev && known.mtimeNs === mtimeNs) return known.names as T
	const startedNs = BigInt(Date.now()) * 1_000_000n
	const names = yield* read()
	if (mtimeNs < startedNs - TICK_NS) remembered.set(key, { dev, ino, mtimeNs, names })
	else remembered.delete(key)
	return names
}

/** Forgets all but what is remembered under these keys. */
export function forgetBut(keys: ReadonlySet<string>): void {
	for (const key of remembered.keys()) if (!keys.has(key)) remembered.delete(key)
}
