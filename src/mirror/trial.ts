import { SnaphavenError } from '../errors.ts'
import { createFile } from '../files/contents.ts'
import { flushFolder } from '../files/folders.ts'
import { type Io, runAsync } from '../files/io.ts'
import { mkdir, rename, rmdir, unlink } from '../files/operations.ts'
import type { Haven } from '../haven/haven.ts'
import type { Lease } from '../haven/lease.ts'
import { ofOnePlace } from '../haven/trouble.ts'

/** Tells a failure of the haven as a whole from one of a single place in it, by trying the haven itself. */
export interface Trial {
	/**
	 * The failure as it is to be told: where it seems to be the haven's, and the haven works all the same, it is one
	 * snapshot's or table's alone. Never rejects.
	 */
	judge: (error: unknown) => Promise<unknown>
	/** Gives the failure back, which from now on is what it says: no trial makes another of it. */
	settled: <T>(error: T) => T
}

/** Makes a trial. Those who ask before it has begun share its answer; nobody goes by one that was begun before. */
export function makeTrial({ haven, lease }: { haven: Haven; lease: Lease }): Trial {
	const settledOnes = new WeakSet<object>()
	let number = 0
	let last: Promise<unknown> = Promise.resolve()
	let next: Promise<Found> | undefined
	const tried = () => {
		next ??= last.then(() => {
			next = undefined
			return tryOut(lease, `${haven.base}/${lease.partial}/trial-${number++}`)
		})
		last = next
		return next
	}
	const settled = <T>(error: T): T => {
		if (error instanceof Error) settledOnes.add(error)
		return error
	}
	return {
		settled,
		judge: async (error) => {
			if (!(error instanceof SnaphavenError) || !error.ofHaven || settledOnes.has(error)) return error
			const found = await tried()
			return settled(found === 'works' ? ofOnePlace(error, haven.path) : (found ?? error))
		},
	}
}

/** What a trial came to: undefined where the haven fails in a way that says no more than the failure itself. */
type Found = 'works' | SnaphavenError | undefined

async function tryOut(lease: Lease, path: string): Promise<Found> {
	try {
		await lease.check()
		await runAsync(tryAt(path))
		return 'works'
	} catch (error) {
		return error instanceof SnaphavenError ? error : undefined
	}
}

/** All that a snapshot needs of a haven, in small. */
function* tryAt(path: string): Io<void> {
	const [before, after] = [`${path}/before`, `${path}/after`]
	yield* mkdir(path, 0o700)
	yield* createFile(before, 'a trial', { mode: 0o600, flush: true })
	yield* rename(before, after)
	yield* flushFolder(path)
	yield* unlink(after)
	yield* rmdir(path)
}
