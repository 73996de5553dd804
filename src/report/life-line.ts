import type { ServiceStatus } from '../mirror/service-status.ts'
import { age, bytes, count, counted } from './amounts.ts'
import { type Line, shortName } from './messages.ts'
import { printable } from './printable.ts'

/** How the service was at an instant, in ms since the epoch. */
export interface Told {
	at: number
	status: ServiceStatus
}

/**
 * The service's line of life, for each hour: what it did since it told the last one (since its start, where there was
 * none), and what is left. It counts as a problem while there is one.
 */
export function lifeLine(now: Told, before?: Told): Line {
	const since =
		before === undefined ? `since its start ${ago(now.status.startedAt, now.at)}` : within(now.at - before.at)
	const well = isWell(now.status)
	return {
		to: 'stderr',
		importance: well ? 'summary' : 'problem',
		label: 'alive:',
		kind: well ? 'good' : 'doubtful',
		text: printable(`${did(now.status, before?.status)} ${since}; ${left(now)}`),
	}
}

/** What a sweep changed, for `-v 1`: undefined where it found nothing. before: as it was when the sweep began. */
export function sweepLine(now: Told, before: Told): Line | undefined {
	if (fingerprint(now.status) === fingerprint(before.status)) return undefined
	const text = printable(`${did(now.status, before.status)}; ${left(now)}`)
	return { to: 'stderr', importance: 'result', label: 'sweep:', kind: 'plain', text }
}

/** How the service is, for `systemctl status`: `1,204 sealed (34 GB), 2 waiting, nothing failing; …`. */
export function briefStatus(now: Told): string {
	return printable(`${did(now.status, undefined)}; ${left(now)}`)
}

/** `2h ago` */
export function ago(time: string, now: number): string {
	return `${age(now - Date.parse(time))} ago`
}

/** Whether nothing fails, and the haven is there. */
function isWell({ trouble, failing }: ServiceStatus): boolean {
	return trouble === undefined && failing.length === 0
}

function did(now: ServiceStatus, before: ServiceStatus | undefined): string {
	const sealed = now.sealed - (before?.sealed ?? 0)
	const size = now.bytes - (before?.bytes ?? 0)
	const moved = now.moved - (before?.moved ?? 0)
	const removed = now.removed - (before?.removed ?? 0)
	const parts = [sealed === 0 ? 'nothing sealed' : `${count(sealed)} sealed (${bytes(size)})`]
	if (moved > 0) parts.push(`${count(moved)} gone from the node`)
	if (removed > 0) parts.push(`${count(removed)} gone from the haven`)
	return parts.join(', ')
}

function left({ at, status }: Told): string {
	const { trouble, waiting, failing, unsealed, oldestUnsealed: oldest } = status
	const parts = [
		`${waiting.length === 0 ? 'nothing' : count(waiting.length)} waiting, ` +
			`${failing.length === 0 ? 'nothing' : count(failing.length)} failing`,
	]
	if (oldest !== undefined) {
		const since = age(at - Date.parse(oldest.since))
		parts.push(`${counted(unsealed, 'snapshot')} unsealed, the oldest ${shortName(oldest.snapshot)}, for ${since}`)
	}
	if (trouble !== undefined) {
		parts.unshift(`the haven is in trouble for ${age(at - Date.parse(trouble.since))}: ${trouble.message}`)
	}
	return parts.join('; ')
}

const HOUR = 3_600_000

function within(ms: number): string {
	return Math.abs(ms - HOUR) < HOUR / 30 ? 'in the last hour' : `in the last ${age(ms)}`
}

function fingerprint({ sealed, moved, removed, failing, waiting, trouble }: ServiceStatus): string {
	return JSON.stringify([
		[sealed, moved, removed, trouble?.since],
		failing.map(({ what, since }) => [what, since]),
		waiting.map(({ snapshot, since }) => [snapshot.keyspace, snapshot.table, snapshot.tag, since]),
	])
}
