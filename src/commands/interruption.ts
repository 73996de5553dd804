/** The end of a run that something outside asks for. */
interface Interruption {
	/** Aborted when the run is to end. */
	signal: AbortSignal
	/** Ends the run, as a signal would. */
	interrupt: () => void
	/** Takes signals no longer. */
	release: () => void
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** In ms: with it the process is gone within ten seconds. Tests give their own: on a busy machine nothing hangs yet that takes so long. */
const PATIENCE = Number(process.env['SNAPHAVEN_TEST_PATIENCE']) || 9000

/**
 * Ends the run on SIGINT or SIGTERM: the first asks it to end, and where it has not within its patience the process kills
 * itself, since process.exit waits for a thread that hangs in a call to a file system that is gone. A second signal does
 * what it does by default: it ends the process at once.
 * @param tell Says what is happening.
 * @param patience How long the run may take to end by itself, in ms.
 */
export function onSignals(tell: (message: string) => void, patience = PATIENCE): Interruption {
	const controller = new AbortController()
	let signalled = false
	const release = () => {
		for (const signal of SIGNALS) process.off(signal, take)
	}
	const take = (signal: NodeJS.Signals) => {
		if (signalled) {
			process.removeAllListeners(signal)
			process.kill(process.pid, signal)
			return
		}
		signalled = true
		tell(`${signal}: ending; a second one ends at once`)
		end()
	}
	const end = () => {
		if (controller.signal.aborted) return
		const timer = setTimeout(() => {
			tell(
				`not ended after ${patience / 1000} seconds: a call hangs, or a flush takes longer. Killing this process; nothing is lost, run it again to go on`,
			)
			process.kill(process.pid, 'SIGKILL')
		}, patience)
		timer.unref()
		controller.abort()
	}
	for (const signal of SIGNALS) process.on(signal, take)
	return { signal: controller.signal, interrupt: end, release }
}
