import type { SyncEvent } from '../mirror/types.ts'
import { total } from './amounts.ts'
import { exitCodeOf, type Outcome } from './summary.ts'

/** The object that `--json` writes for an event; undefined for what is no outcome (progress, waiting). */
export function eventObject(event: SyncEvent): Record<string, unknown> | undefined {
	return event.type === 'progress' || event.type === 'waiting' ? undefined : eventFields(event)
}

/**
 * An event as one flat object, with `type` first and the snapshot's names beside it. `files` and `bytes` are the sums over
 * all ways that the files came by.
 */
export function eventFields(event: SyncEvent): Record<string, unknown> {
	if ('table' in event) {
		const { type, table, ...rest } = event
		const sums = 'copied' in event ? total(event) : {}
		return { type, ...table, ...sums, ...rest }
	}
	if (!('snapshot' in event)) return { ...event }
	const { type, snapshot, ...rest } = event
	const sums = 'copied' in event ? total(event) : {}
	return { type, ...snapshot, ...sums, ...rest }
}

/** The last object that `--json` writes: the summary, or for `--dry-run` what would be done. */
export function outcomeObject(outcome: Outcome): Record<string, unknown> {
	const { summary, plan, ending } = outcome
	const end = {
		type: 'summary',
		exitCode: exitCodeOf(outcome),
		interrupted: ending !== 'complete',
		dryRun: plan !== undefined,
	}
	if (plan === undefined) return { ...end, ...summary, ...total(summary) }
	const { snapshots, ...rest } = plan
	return { ...end, ...summary, planned: snapshots, ...rest, ...total(plan) }
}

/** The last object that `--json` writes where the run ended by an error. */
export function errorObject(exitCode: number, message: string, hint: string | undefined): Record<string, unknown> {
	return { type: 'error', exitCode, message, ...(hint === undefined ? {} : { hint }) }
}
