import { setTimeout as sleep } from 'node:timers/promises'
import { SnaphavenError } from '../errors.ts'
import { steadyMs } from '../files/builtins.ts'
import { codeOf } from '../files/io.ts'
import { explain } from './one-snapshots.ts'
import { RETRY_MS_MAX } from './retry.ts'
import type { ServiceLog } from './service-log.ts'

const PAUSE_MS_MIN = 1000
/** Where it takes longer to open a haven, people are told. */
const OPENING_MS = 120_000

/**
 * Opens session after session until the signal: a haven that fails ends its session, and is tried again with pauses that
 * grow to a minute. Throws what no waiting makes good: wrong usage, as long as no session was ever open, and defects.
 * @param session Runs until the signal, or until the haven fails. Calls what it is given once it is open.
 */
export async function keepSessions(
	session: (opened: () => void) => Promise<void>,
	log: ServiceLog,
	signal: AbortSignal,
): Promise<void> {
	let wasOpen = false
	let pauseMs = PAUSE_MS_MIN
	while (!signal.aborted) {
		let openedMs: number | undefined
		const slow = setTimeout(
			log.havenFails,
			OPENING_MS,
			'the haven has not opened yet: it answers slowly, or not at all.',
		)
		try {
			await session(() => {
				clearTimeout(slow)
				wasOpen = true
				openedMs = steadyMs()
				log.havenWorks()
			})
		} catch (error) {
			if (signal.aborted) return
			if (!(error instanceof SnaphavenError) || (isWrongUsage(error) && !wasOpen)) throw error
			log.havenFails(explain(error))
		} finally {
			clearTimeout(slow)
		}
		if (openedMs !== undefined && steadyMs() - openedMs > RETRY_MS_MAX) pauseMs = PAUSE_MS_MIN
		await sleep(pauseMs, undefined, { signal }).catch(() => {})
		pauseMs = Math.min(RETRY_MS_MAX, pauseMs * 2)
	}
}

/** A NAS may refuse for a while what it will let pass again: what the system says is never wrong usage of a service. */
function isWrongUsage(error: SnaphavenError): boolean {
	return error.exitCode === 2 && codeOf(error.cause) === undefined
}
