import type { SyncEvent, SyncOptions, SyncSummary } from '../mirror/types.ts'
import { problemLine } from '../report/messages.ts'
import { openReporter, type ReporterOptions } from '../report/reporter.ts'
import { stdoutSettled, whenStdoutLost } from '../report/streams.ts'
import type { Ending } from '../report/summary.ts'
import { onSignals } from './interruption.ts'

/** The engine, as this command calls it. */
export type RunSync = (
	options: SyncOptions,
	tell: (event: SyncEvent) => void,
	signal: AbortSignal,
) => Promise<SyncSummary>

/** Runs a pass and tells it, ended early by a signal or when stdout's reader goes away. Returns the exit code. */
export async function pass(options: SyncOptions, report: ReporterOptions, run: RunSync = engine): Promise<number> {
	const reporter = await openReporter(report)
	let ending: Ending = 'complete'
	let resultsLost = false
	const interruption = onSignals((message) => {
		ending = 'by signal'
		reporter.print(problemLine('signal', 'doubtful', message))
	})
	whenStdoutLost((error) => {
		if (error === undefined) {
			ending = 'reader gone'
			interruption.interrupt()
			return
		}
		resultsLost = true
		reporter.print(problemLine('error', 'bad', `results cannot be written to stdout any more: ${error.message}`))
	})
	try {
		const summary = await run(options, (event) => reporter.tell(event), interruption.signal)
		const exitCode = reporter.finish(summary, ending)
		await stdoutSettled()
		return exitCode || (resultsLost ? 1 : 0)
	} catch (error) {
		return reporter.fail(error, ending)
	} finally {
		interruption.release()
	}
}

async function engine(...args: Parameters<RunSync>): Promise<SyncSummary> {
	const { runSync } = await import('../mirror/sync.ts')
	return await runSync(...args)
}
