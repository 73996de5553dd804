import { saveLastStatus } from '../control/last-status.ts'
import { systemdNotifier } from '../control/notify.ts'
import { serveControl } from '../control/server.ts'
import { failure } from '../errors.ts'
import type { Service } from '../mirror/service.ts'
import type { ServiceStatus } from '../mirror/service-status.ts'
import type { ServiceOptions } from '../mirror/types.ts'
import { briefStatus, lifeLine, sweepLine, type Told } from '../report/life-line.ts'
import { type Line, problemLine } from '../report/messages.ts'

/** What a service tells of itself beside what it does: to who asks, to systemd, and by a line each hour. */
interface Life {
	/** The service has started, and can be asked. */
	started: (service: Service) => void
	/** It has glanced at the node; the first time it is ready. */
	swept: () => void
	/** It has been told to end. */
	stopping: () => void
	/** Looks at everything anew. */
	rescan: () => void
	close: () => Promise<void>
}

const HOUR_MS = 3_600_000

/** Answers for a service of this haven from now on. Throws where another service does so already. */
export async function serviceLife(options: ServiceOptions, print: (line: Line) => void): Promise<Life> {
	const warn = (message: string) => print(problemLine('warning', 'doubtful', message))
	let service: Service | undefined
	const told = (): Told => ({ at: Date.now(), status: service?.status() ?? NOT_STARTED })
	const rescan = () => service?.rescan()
	const begun = (): Service => {
		if (!service) throw failure('the service has not begun yet', 'Ask again in a moment.')
		return service
	}
	const control = await serveControl({
		...options,
		status: () => told().status,
		rescan,
		prune: async (wanted) => await begun().prune(wanted),
		adopt: async (keys) => await begun().adopt(keys),
		repair: async (damaged) => await begun().repair(damaged),
	})
	const systemd = systemdNotifier(process.env, warn)
	const save = () => saveLastStatus(options, told().status).catch((error: Error) => warn(error.message))
	let isReady = false
	let atSweep = told()
	let atHour = told()
	const hourly = setInterval(() => {
		const now = told()
		print(lifeLine(now, atHour))
		atHour = now
		void save()
	}, HOUR_MS)
	hourly.unref()
	const ready = () => {
		isReady = true
		systemd.ready()
		const what = options.keyspaces === 'all' ? 'all keyspaces' : options.keyspaces.join(', ')
		const line = problemLine(
			'watching',
			'plain',
			`${what} in ${options.dataDirectories.join(', ')}, mirrored into ${options.haven}`,
		)
		print({ ...line, importance: 'summary' })
		void save()
	}
	return {
		started: (begun) => {
			service = begun
		},
		swept: () => {
			const now = told()
			systemd.status(briefStatus(now))
			if (!isReady) ready()
			else {
				const line = sweepLine(now, atSweep)
				if (line) print(line)
			}
			atSweep = now
		},
		stopping: () => systemd.stopping(),
		rescan,
		close: async () => {
			clearInterval(hourly)
			await save()
			await control.close()
			await systemd.close()
		},
	}
}

const NOT_STARTED: ServiceStatus = {
	state: 'starting',
	startedAt: new Date().toISOString(),
	mirrorDeletes: false,
	...{ sealed: 0, bytes: 0, moved: 0, removed: 0, tables: 0, unsealed: 0 },
	failing: [],
	waiting: [],
}
