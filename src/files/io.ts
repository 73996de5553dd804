/**
 * File system work written once and run in two ways: by synchronous calls in a worker thread, which is fastest on a
 * local disk, or by asynchronous ones, many in flight, which hides a NAS's latency. Each `yield*` of an operation of
 * operations.ts is one call; `runSync` and `runAsync` decide how it is made.
 */
export type Io<T> = Generator<Step, T, unknown>

/** One call, or several pieces of work that may go side by side. */
export type Step = Call | Parallel

interface Call {
	sync: (...args: never[]) => unknown
	/** The same call with a Node callback as its last argument. */
	callback: (...args: never[]) => void
	args: readonly unknown[]
}

interface Parallel {
	width: number
	items: readonly unknown[]
	work: (item: never, index: number) => Io<unknown>
}

/** An operation from a pair of Node's functions that do the same, the one at once, the other by callback. */
export function operation<A extends readonly unknown[], T>(
	sync: (...args: [...A]) => T,
	callback: (...args: never[]) => void,
): (...args: A) => Io<T> {
	return function* (...args) {
		return (yield { sync, callback, args }) as T
	}
}

/** Does the work for each item, up to `width` of them at a time where calls are asynchronous; results in order. */
export function* each<I, T>(items: readonly I[], width: number, work: (item: I, index: number) => Io<T>): Io<T[]> {
	return (yield { width, items, work }) as T[]
}

/** Runs the work by synchronous calls on this thread. */
export function runSync<T>(io: Io<T>): T {
	let next = io.next()
	while (!next.done) {
		let value: unknown
		try {
			value = stepSync(next.value)
		} catch (error) {
			next = io.throw(error)
			continue
		}
		next = io.next(value)
	}
	return next.value
}

function stepSync(step: Step): unknown {
	if ('sync' in step) return step.sync(...(step.args as never[]))
	return step.items.map((item, index) => runSync(step.work(item as never, index)))
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
		const done = (error: Error | null, value: unknown) => (error ? reject(error) : resolve(value))
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
	if (!(error instanceof Error) || !('code' in error) || !SYSTEM_CODE.test(String(error.code))) return false
	return codes.length === 0 || codes.includes(String(error.code))
}

/** Node's own errors have codes such as `ERR_OUT_OF_RANGE` and `ABORT_ERR`. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/

/** The code of a failed system call (`'ENOENT'` …), undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
	return hasCode(error) ? error.code : undefined
}
