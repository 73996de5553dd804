import type { Io } from '../../../src/files/io.ts'

/**
 * Runs file work by synchronous calls, and lets something happen between them: `before` is told how many calls there
 * were by then.
 */
export function runInterleaved<T>(io: Io<T>, before: (calls: number) => void): T {
	let next = io.next()
	for (let calls = 0; !next.done; calls++) {
		const step = next.value
		if (!('sync' in step)) throw new Error('work that goes side by side can’t be interleaved')
		before(calls)
		next = outcome(io, () => step.sync(...(step.args as never[])))
	}
	return next.value
}

function outcome<T>(io: Io<T>, call: () => unknown) {
	let value: unknown
	try {
		value = call()
	} catch (error) {
		return io.throw(error)
	}
	return io.next(value)
}
