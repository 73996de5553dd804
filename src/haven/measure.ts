import { steadyMs, uniqueName } from '../files/builtins.ts'
import { createFile, READ } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { lstatIfThere, stat, unlink, withOpen } from '../files/operations.ts'
import { HAVEN_FILE, PRIVATE } from './layout.ts'

const TRIALS_MAX = 5
/** So many will do where each took far too long for a disk. */
const TRIALS_MIN = 3
const CALLS_A_TRIAL = 5

/** Above this many ms for one operation a haven is slow: many calls in flight are faster than quick ones one after the other. */
const SLOW_OPERATION_MS = 0.2

/**
 * Whether a small operation on the haven takes as long as a NAS's: by the least of some trials, since a busy machine
 * makes them longer, and nothing makes a NAS's round trip shorter. To be run by synchronous calls.
 */
export function* isSlow(base: string): Io<boolean> {
	return yield* areSlow(function* () {
		const file = `${base}/${PRIVATE}/time-${uniqueName()}`
		try {
			const start = steadyMs()
			yield* createFile(file, 'x', { mode: 0o600, flush: false })
			yield* lstatIfThere(file)
			yield* unlink(file)
			return (steadyMs() - start) / CALLS_A_TRIAL
		} catch (error) {
			yield* removeTree(file)
			throw error
		}
	})
}

/** The same for who only reads: by opening haven.json, which asks a NAS each time. */
export function* isSlowToRead(base: string): Io<boolean> {
	return yield* areSlow(function* () {
		const start = steadyMs()
		yield* withOpen(`${base}/${HAVEN_FILE}`, READ, stat)
		// Closing a file that was only read asks nobody.
		return (steadyMs() - start) / 2
	})
}

/** By trials, each of which tells how many ms an operation took in it. */
function* areSlow(trial: () => Io<number>): Io<boolean> {
	let least = Number.POSITIVE_INFINITY
	for (let trials = 1; trials <= TRIALS_MAX; trials++) {
		least = Math.min(least, yield* trial())
		if (least < SLOW_OPERATION_MS) return false
		if (trials >= TRIALS_MIN && least > 4 * SLOW_OPERATION_MS) break
	}
	return true
}
