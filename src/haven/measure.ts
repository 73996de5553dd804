import { steadyMs, uniqueName } from '../files/builtins.ts'
import { createFile, READ } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { lstatIfThere, stat, unlink, withOpen } from '../files/operations.ts'
import { HAVEN_FILE, PRIVATE } from './layout.ts'

const TRIALS = 5
const CALLS_A_TRIAL = 5

/**
 * What one small operation takes on the haven, in ms: the least of some trials, since a busy machine makes them longer,
 * and nothing makes a NAS's round trip shorter. To be run by synchronous calls.
 */
export function* measureOperation(base: string): Io<number> {
	let least = Number.POSITIVE_INFINITY
	for (let trial = 0; trial < TRIALS; trial++) {
		const file = `${base}/${PRIVATE}/time-${uniqueName()}`
		try {
			const start = steadyMs()
			yield* createFile(file, 'x', { mode: 0o600, flush: false })
			yield* lstatIfThere(file)
			yield* unlink(file)
			least = Math.min(least, (steadyMs() - start) / CALLS_A_TRIAL)
		} catch (error) {
			yield* removeTree(file)
			throw error
		}
	}
	return least
}

/** The same for who only reads: by opening haven.json, which asks a NAS each time. */
export function* measureReading(base: string): Io<number> {
	let least = Number.POSITIVE_INFINITY
	for (let trial = 0; trial < TRIALS; trial++) {
		const start = steadyMs()
		yield* withOpen(`${base}/${HAVEN_FILE}`, READ, stat)
		// Closing a file that was only read asks nobody.
		least = Math.min(least, (steadyMs() - start) / 2)
	}
	return least
}
