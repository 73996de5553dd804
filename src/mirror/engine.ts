import { type Io, runAsync } from '../files/io.ts'
import { letHeapsGrow } from './heaps.ts'
import { type JobArguments, type JobName, type JobResult, jobs } from './jobs.ts'
import { limitRate } from './limit-rate.ts'
import { makeThreadPool, THREADS, type ThreadPool } from './thread-pool.ts'

/** Runs jobs in the way that suits the haven. */
export interface Engine {
	run: <N extends JobName>(name: N, ...args: JobArguments<N>) => Promise<JobResult<N>>
	/** How many slices are to be in flight, and how many files of each. */
	slices: number
	width: number
}

/** Threads that begin to start while the haven is still being opened. */
export interface Threads {
	/**
	 * The engine for a haven by its operation's time: synchronous calls in these threads, or asynchronous ones. Those too
	 * where no more than `limit` bytes a second are to be read of the node's files: a thread that sleeps does nothing else.
	 */
	engineFor: (haven: { base: string } | undefined, limit?: number) => Promise<Engine>
	/** The same for a haven that is only read: nothing is written to measure it. */
	engineForReading: (haven: { base: string }) => Promise<Engine>
	/** Runs a job in a thread, whatever the haven's engine is: for what touches the node's disks alone. */
	run: Engine['run']
	/** For many such jobs: resolves when all threads have loaded their code. */
	startAll: () => Promise<void>
	close: () => Promise<void>
}

/** Starts the threads; none keeps the process alive while it has nothing to do. */
export function startThreads(): Threads {
	const pool = makeThreadPool()
	const engine = threadsEngine(pool)
	return {
		engineFor: async (haven, limit) => {
			limitRate(limit)
			if (limit !== undefined) return onMainThread
			if (!haven || !(await engine.run('isSlow', haven.base))) return engine
			pool.startAll().catch(() => {})
			return manyCalls(pool)
		},
		engineForReading: async ({ base }) => {
			await pool.startAll()
			// Nothing is held for long: small heaps would cost time for nothing.
			letHeapsGrow()
			return (await engine.run('isSlowToRead', base)) ? manyCalls(pool) : engine
		},
		run: engine.run,
		startAll: pool.startAll,
		close: pool.close,
	}
}

/** Slices in flight, and files of each, where many calls are. */
const MANY = { slices: 32, width: 3 }

/**
 * Calls by libuv's thread pool (UV_THREADPOOL_SIZE, set to 64 by the entry module), spread over many snapshots' folders.
 * The threads share the work of making them, which takes more time than anything else here.
 */
function manyCalls({ run }: ThreadPool): Engine {
	return { run: (name, ...args) => run(name, args, 'side by side'), ...MANY }
}

function threadsEngine({ run }: ThreadPool): Engine {
	return {
		run: (name, ...args) => run(name, args),
		// One more than threads, so that none waits for the main thread's next message.
		slices: THREADS + 1,
		width: 1,
	}
}

/** The same without threads: what is read is counted in one place. */
const onMainThread: Engine = {
	run: (name, ...args) => runAsync(start(name, args)) as Promise<never>,
	...MANY,
}

/** Starts a job: what to do comes by name, so that it can cross into a thread. */
export function start(name: JobName, args: unknown[]): Io<unknown> {
	return (jobs[name] as (...args: unknown[]) => Io<unknown>)(...args)
}
