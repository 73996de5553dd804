import { nameSystemError } from './system-errors.ts'

/**
 * File system work written once and run in two ways: by synchronous calls in a worker thread, which is fastest on a
 * local disk, or by asynchronous ones, many in flight, which hides a NAS's latency. Each `yield*` of an operation of
 * operations.ts is one call; `runSync` and `runAsync` decide how it is made. Written as generators (`function*`).
 */
export interface Io<T> {
	[Symbol.iterator](): Io<T>
	next(value?: unknown): IteratorResult<Step, T>
	throw(error: unknown): IteratorResult<Step, T>
	return(value: T): IteratorResult<Step, T>
}

/** What work yields to who runs it: one call to make, or several pieces of work that may go side by side. */
export type Step = Call<unknown> | Parallel

interface Parallel {
	width: number
	items: readonly unknown[]
	work: (item: never, index: number) => Io<unknown>
}

/** True while runSync is at work, which leaves no room for anything else in this thread. */
let inRunSync = false

/**
 * One call. Within runSync it is made on the spot, and nothing is yielded: to hand each call up through all generators
 * that wait for it, and its result down again, would take longer than most calls.
 */
class Call<T> implements Io<T> {
	readonly sync: (...args: never[]) => T
	/** The same call with a Node callback as its last argument. */
	readonly callback: (...args: never[]) => void
	readonly args: readonly unknown[]
	#isYielded = false

	constructor(sync: Call<T>['sync'], callback: Call<T>['callback'], args: readonly unknown[]) {
		this.sync = sync
		this.callback = callback
		this.args = args
	}

	[Symbol.iterator](): Io<T> {
		return this
	}

	next(value?: unknown): IteratorResult<Step, T> {
		if (inRunSync) return { done: true, value: this.#onTheSpot() }
		if (this.#isYielded) return { done: true, value: value as T }
		this.#isYielded = true
		return { done: false, value: this }
	}

	/** A system error has no stack here, which takes longer to gather than most calls: that nothing is there is told by one as well. */
	#onTheSpot(): T {
		const { stackTraceLimit } = Error
		Error.stackTraceLimit = 0
		try {
			return this.sync(...(this.args as never[]))
		} catch (error) {
			Error.stackTraceLimit = stackTraceLimit
			if (!hasCode(error) && error instanceof Error) Error.captureStackTrace(error)
			throw error
		} finally {
			Error.stackTraceLimit = stackTraceLimit
		}
	}

	throw(error: unknown): IteratorResult<Step, T> {
		throw error
	}

	return(value: T): IteratorResult<Step, T> {
		return { done: true, value }
	}
}

/** An operation from a pair of Node's functions that do the same, the one at once, the other by callback. */
export function operation<A extends readonly unknown[], T>(
	sync: ((...args: [...A]) => T) & ((...args: never[]) => T),
	callback: (...args: never[]) => void,
): (...args: A) => Io<T> {
	return (...args) => new Call(sync, callback, args)
}

/** Does the work for each item, up to `width` of them at a time where calls are asynchronous; results in order. */
export function* each<I, T>(items: readonly I[], width: number, work: (item: I, index: number) => Io<T>): Io<T[]> {
	if (!inRunSync) return (yield { width, items, work }) as T[]
	const results: T[] = []
	for (let index = 0; index < items.length; index++) results.push(yield* work(items[index] as I, index))
	return results
}

/** Does pieces of work of different kinds side by side, each under its name; one after the other where calls are synchronous. */
export function* together<T extends object>(works: { [K in keyof T]: () => Io<T[K]> }): Io<T> {
	const named = Object.entries(works) as [string, () => Io<unknown>][]
	const results = yield* each(named, named.length, ([, work]) => work())
	return Object.fromEntries(named.map(([name], index) => [name, results[index]])) as T
}

/** True in a thread that may wait for a disk: nobody needs it to answer signals. */
let mayWait = false

/** Says that this thread may wait for the node's own disks: it is a worker thread. */
export function letWait(): void {
	mayWait = true
}

/**
 * Work on the node's own disks, done on the spot wherever this thread may wait for it, also while many calls to a haven
 * are in flight: a call of microseconds takes fifty when it goes through the pool. To be yielded as it is made.
 */
export function atOnce<T>(work: Io<T>): Io<T> {
	return mayWait && !inRunSync ? done(runSync(work)) : work
}

/** Work that has been done, and came to this. */
export function done<T>(value: T): Io<T> {
	return new Done(value)
}

class Done<T> implements Io<T> {
	readonly #end: { done: true; value: T }

	constructor(value: T) {
		this.#end = { done: true, value }
	}

	[Symbol.iterator](): Io<T> {
		return this
	}

	next(): IteratorResult<Step, T> {
		return this.#end
	}

	throw(error: unknown): IteratorResult<Step, T> {
		throw error
	}

	return(value: T): IteratorResult<Step, T> {
		return { done: true, value }
	}
}

/** Runs the work by synchronous calls on this thread. */
export function runSync<T>(io: Io<T>): T {
	const before = inRunSync
	inRunSync = true
	try {
		const end = io.next()
		if (!end.done) throw new Error('work that had begun elsewhere can’t be run')
		return end.value
	} finally {
		inRunSync = before
	}
}

/** Runs the work by asynchronous calls; this thread stays free meanwhile. */
export async function runAsync<T>(io: Io<T>): Promise<T> {
	let next = io.next()
	while (!next.done) {
		let value: unknown
		try {
			value = await stepAsync(next.value)
		} catch (error) {
			next = io.throw(error)
			continue
		}
		next = io.next(value)
	}
	return next.value
}

function stepAsync(step: Step): Promise<unknown> {
	if (!('sync' in step)) return inParallel(step)
	return new Promise((resolve, reject) => {
		const done = (error: Error | null, value: unknown) => {
			nameSystemError(error)
			if (error) reject(error)
			else resolve(value)
		}
		step.callback(...([...step.args, done] as never[]))
	})
}

/** After a first failure nothing further is begun, and it is thrown when all that was begun has ended. */
async function inParallel({ items, width, work }: Parallel): Promise<unknown[]> {
	const results: unknown[] = new Array(items.length)
	let next = 0
	let failed: { error: unknown } | undefined
	const lane = async () => {
		while (next < items.length && !failed) {
			const index = next++
			try {
				results[index] = await runAsync(work(items[index] as never, index))
			} catch (error) {
				failed ??= { error }
			}
		}
	}
	await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
	if (failed) throw failed.error
	return results
}

/** Whether an error is Node's for a failed system call, and one of these (`'ENOENT'` …) where some are named. */
export function hasCode(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
	nameSystemError(error)
	if (!(error instanceof Error) || !('code' in error) || !SYSTEM_CODE.test(String(error.code))) return false
	return codes.length === 0 || codes.includes(String(error.code))
}

/** Node's own errors have codes such as `ERR_OUT_OF_RANGE` and `ABORT_ERR`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/

/** The code of a failed system call (`'ENOENT'` …), undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
	return hasCode(error) ? error.code : undefined
}
