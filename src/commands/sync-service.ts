import { runService, type Service } from '../mirror/service.ts'
import type { ServiceOptions } from '../mirror/types.ts'
import { problemLine } from '../report/messages.ts'
import { openReporter, type ReporterOptions } from '../report/reporter.ts'
import { stdoutSettled, whenStdoutLost } from '../report/streams.ts'
import { startWatch } from '../watch/watch.ts'
import { onSignals } from './interruption.ts'

/** Watches and mirrors until a signal. Returns the exit code: 0 where a signal ended it. */
export async function service(options: ServiceOptions, report: ReporterOptions): Promise<number> {
	const reporter = await openReporter(report)
	const interruption = onSignals((message) => reporter.print(problemLine('signal', 'doubtful', message)))
	whenStdoutLost((error) => {
		if (error === undefined) return interruption.interrupt()
		reporter.print(problemLine('error', 'bad', `results cannot be written to stdout any more: ${error.message}`))
	})
	let running: Service | undefined
	const rescan = () => running?.rescan()
	process.on('SIGHUP', rescan)
	try {
		const summary = await runService({
			options,
			tell: (event) => reporter.tell(event),
			signal: interruption.signal,
			startWatch: (on) => startWatch({ ...options, ...on }),
			onReady: (started) => {
				running = started
				const what = options.keyspaces === 'all' ? 'all keyspaces' : options.keyspaces.join(', ')
				const where = options.dataDirectories.join(', ')
				const line = problemLine('watching', 'plain', `${what} in ${where}, mirrored into ${options.haven}`)
				reporter.print({ ...line, importance: 'summary' })
			},
		})
		const exitCode = reporter.finish(summary, 'service stopped')
		await stdoutSettled()
		return exitCode
	} catch (error) {
		return reporter.fail(error, 'complete')
	} finally {
		process.off('SIGHUP', rescan)
		interruption.release()
	}
}
