import { runService } from '../mirror/service.ts'
import type { ServiceOptions } from '../mirror/types.ts'
import { problemLine } from '../report/messages.ts'
import { openReporter, type ReporterOptions } from '../report/reporter.ts'
import { stdoutSettled, whenStdoutLost } from '../report/streams.ts'
import { startWatch } from '../watch/watch.ts'
import { onSignals } from './interruption.ts'
import { serviceLife } from './service-life.ts'

/** Watches and mirrors until a signal. Returns the exit code: 0 where a signal ended it. */
export async function service(options: ServiceOptions, report: ReporterOptions): Promise<number> {
	const reporter = await openReporter({ ...report, service: true })
	const life = await serviceLife(options, (line) => reporter.print(line))
	const interruption = onSignals((message) => {
		reporter.print(problemLine('signal', 'doubtful', message))
		life.stopping()
	})
	whenStdoutLost((error) => {
		if (error === undefined) return interruption.interrupt()
		reporter.print(problemLine('error', 'bad', `results cannot be written to stdout any more: ${error.message}`))
	})
	process.on('SIGHUP', life.rescan)
	try {
		const summary = await runService({
			options,
			tell: (event) => reporter.tell(event),
			signal: interruption.signal,
			startWatch: (on) => startWatch({ ...options, ...on, hints: process.env['SNAPHAVEN_TEST_HINTS'] !== 'none' }),
			onStart: life.started,
			onSweep: life.swept,
		})
		const exitCode = reporter.finish(summary, 'service stopped')
		await stdoutSettled()
		return exitCode
	} catch (error) {
		return reporter.fail(error, 'complete')
	} finally {
		await life.close()
		process.off('SIGHUP', life.rescan)
		interruption.release()
	}
}
