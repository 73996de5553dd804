import { steadyMs } from '../files/builtins.ts'
import { findHolder } from '../haven/holder.ts'
import type { TagOptions } from './find-tag.ts'
import { runSync } from './sync.ts'
import type { SyncEvent, SyncOptions } from './types.ts'
import { type Waited, type Waiting, waitForTag } from './wait-for-tag.ts'

/** What is told, beside what the waiting tells. */
export interface Sealing extends Waiting {
	/** A service, or another pass, writes to the haven, and is waited for. */
	onHeld: (name: string) => void
	/** What an own pass tells. */
	onEvent: (event: SyncEvent) => void
}

/**
 * Has a tag sealed: by who holds the haven's lease, where a live process of this machine does, else by an own pass over
 * that tag alone. The timeout is for the former. Throws as waitForTag and runSync do.
 */
export async function sealTag(options: SyncOptions & TagOptions, sealing: Sealing): Promise<Waited> {
	const until = steadyMs() + sealing.timeoutMs
	for (;;) {
		const holder = await findHolder(options.haven)
		if (holder?.seen) {
			sealing.onHeld(holder.name)
			const giveUp = async () => !(await findHolder(options.haven))?.seen
			const waited = await waitForTag(options, { ...sealing, timeoutMs: Math.max(0, until - steadyMs()), giveUp })
			if (waited.end !== 'given up') return waited
		}
		try {
			await runSync({ ...options, matchesTag: (tag) => tag === options.tag }, sealing.onEvent, sealing.signal)
			return await waitForTag(options, { ...sealing, timeoutMs: 0 })
		} catch (error) {
			// Another may have begun to write just before this one could.
			if (sealing.signal.aborted || !(await findHolder(options.haven))?.seen) throw error
		}
	}
}
