import { keepHeapsSmall, letHeapsGrow } from './heaps.ts'
import type { JobArguments, JobName, JobResult } from './jobs.ts'
import type { Request, Thread } from './thread.ts'
import { takeThread } from './worker-threads.ts'

/** The worker threads of a process: one at first, and THREADS once there is work for so many. */
export interface ThreadPool {
	/** Runs a job in the thread that has the fewest. */
	run: <N extends JobName>(name: N, args: JobArguments<N>, how?: Request['how']) => Promise<JobResult<N>>
	/** Starts all that are not started yet. Resolves when they have loaded their code; rejects where the first can't. */
	startAll: () => Promise<void>
	/** Ends them, in the middle of a job too. */
	close: () => Promise<void>
}

/** How many threads work at a time, where there is work for so many. */
export const THREADS = 2

/** A look at a table takes 0.1 ms; another thread takes 40 ms of a core to start, and 14 MB. */
const PATIENCE_MS = 3

/**
 * Starts the first thread, or takes the one that was begun; the others once jobs have waited for it.
 * @param take Gives a thread that has been started.
 */
export function makeThreadPool(take: () => Thread = takeThread): ThreadPool {
	const first = take()
	const started = [first]
	/** The first one, and those of the others that have loaded their code. */
	const working = [first]
	let loading = 0
	let isClosed = false
	const load = async (thread: Thread) => {
		loading += 1
		letHeapsGrow()
		try {
			await thread.run('answer', [])
		} finally {
			loading -= 1
			if (loading === 0 && !isClosed) keepHeapsSmall()
		}
	}
	const startAnother = async () => {
		const thread = take()
		started.push(thread)
		await load(thread)
		working.push(thread)
	}
	let others: Promise<unknown> | undefined
	const startOthers = () => {
		// Where none can be started, the first does all.
		others ??= Promise.allSettled(Array.from({ length: THREADS - 1 }, startAnother))
		return others
	}
	const firstLoaded = load(first)
	let timer: NodeJS.Timeout | undefined
	const helpIfItWaits = () => {
		if (others || timer || isClosed || first.pending <= 1) return
		timer = setTimeout(() => {
			timer = undefined
			if (first.pending > 1) startOthers()
		}, PATIENCE_MS)
	}
	// What fails to load fails each job.
	firstLoaded.then(helpIfItWaits, () => {})
	return {
		run: (name, args, how) => {
			const result = leastBusy(working).run(name, args, how)
			if (loading === 0) helpIfItWaits()
			return result as Promise<never>
		},
		startAll: async () => {
			const othersLoaded = startOthers()
			await firstLoaded
			await othersLoaded
		},
		close: async () => {
			isClosed = true
			clearTimeout(timer)
			letHeapsGrow()
			await Promise.all(started.map(({ close }) => close()))
		},
	}
}

/** Of those that have not ended, where there are any. */
function leastBusy(threads: Thread[]): Thread {
	return threads.reduce((best, thread) =>
		best.isOver() || (thread.pending < best.pending && !thread.isOver()) ? thread : best,
	)
}
