import { steadyMs, uniqueName } from '../files/builtins.ts'
import { createFile } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { lstatIfThere, unlink } from '../files/operations.ts'
import { PRIVATE } from './layout.ts'

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
