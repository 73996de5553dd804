import type { Io } from '../../src/files/io.ts'

/** The same work, what goes side by side one after the other. */
export function* inTurn<T>(io: Io<T>): Io<T> {
	let next = io.next()
	while (!next.done) {
		const step = next.value
		let value: unknown
		try {
			if ('sync' in step) value = yield step
			else {
				const results: unknown[] = []
				for (const [at, item] of step.items.entries()) results.push(yield* inTurn(step.work(item as never, at)))
				value = results
			}
		} catch (error) {
			next = io.throw(error)
			continue
		}
		next = io.next(value)
	}
	return next.value
}
