import type { LastStatus, RunningService, ServiceStatus } from '../mirror/service-status.ts'
import { age, bytes, counted } from './amounts.ts'
import { ago } from './life-line.ts'
import { type Line, pathName, resultLine, shortName } from './messages.ts'

/** What was found out about the service of a haven. */
export interface FoundService {
	/** The haven's path. */
	haven: string
	/** How it is, where one runs; else how the last one was, by its own word, where one is known. */
	running: RunningService | undefined
	last: LastStatus | undefined
	/** Why one that seems to run did not say how it is. */
	silence: string | undefined
	/** Milliseconds since the epoch. */
	at: number
}

/** A service that has not opened its haven after so long, in ms, hangs or waits for something that does not come. */
const STARTING_MAX = 120_000

/** What is wrong with it, each as a sentence. maxAgeMs: how long a snapshot may be unsealed, if that is to count. */
export function problemsOf({ running, silence, at }: FoundService, maxAgeMs?: number): string[] {
	if (running === undefined) return [silence ?? 'no service runs']
	const { state, startedAt, trouble, failing, oldestUnsealed: oldest } = running.status
	const problems: string[] = []
	const startingMs = state === 'starting' ? at - Date.parse(startedAt) : 0
	if (startingMs > STARTING_MAX) problems.push(`the haven is not open yet, after ${age(startingMs)}`)
	if (trouble !== undefined) problems.push('the haven is in trouble')
	if (failing.length > 0) problems.push(`${counted(failing.length, 'thing')} can't be done`)
	const unsealedMs = oldest === undefined ? 0 : at - Date.parse(oldest.since)
	if (oldest !== undefined && maxAgeMs !== undefined && unsealedMs > maxAgeMs) {
		problems.push(`${shortName(oldest.snapshot)} is unsealed for ${age(unsealedMs)}, more than ${age(maxAgeMs)}`)
	}
	return problems
}

/** The object that `--json` writes: what the service says of itself, and the verdict. */
export function serviceObject(found: FoundService, problems: string[]): Record<string, unknown> {
	const { status, ...rest } = found.running ?? found.last ?? {}
	const verdict = { ok: problems.length === 0, problems, running: found.running !== undefined }
	return { type: 'status', haven: found.haven, ...verdict, ...rest, ...status }
}

/** The lines for people. */
export function describeService(found: FoundService, problems: string[]): Line[] {
	const { running, last, at } = found
	const lines = running === undefined ? [notRunning(found)] : [runningLine(running, at)]
	const status = (running ?? last)?.status
	if (status !== undefined) {
		lines.push(...statusLines(status, running === undefined ? Date.parse(last?.writtenAt ?? '') : at))
	}
	if (running !== undefined) lines.push(...problems.map((problem) => told('problem', problem, 'bad')))
	return lines
}

function notRunning({ haven, last, silence, at }: FoundService): Line {
	if (silence !== undefined) {
		const before = last === undefined ? '' : ` How it was ${ago(last.writtenAt, at)}:`
		return told('no answer', `${silence.replace(/\.?$/, '.')}${before}`, 'bad')
	}
	if (last === undefined)
		return told('not running', `no service runs for ${haven}, and none is known to have run`, 'bad')
	const { writtenAt, status, pid } = last
	const how = status.state === 'ending' ? 'ended' : 'was last heard of, and did not end by itself,'
	const text = `no service runs for ${haven}; the last one, process ${pid}, ${how} ${ago(writtenAt, at)} (${writtenAt})`
	return told('not running', `${text}. How it was then:`, 'bad')
}

function runningLine({ pid, version, status }: RunningService, at: number): Line {
	const { state, startedAt } = status
	const kind = state === 'running' ? 'good' : state === 'haven in trouble' ? 'bad' : 'doubtful'
	const since = `for ${age(at - Date.parse(startedAt))}, since ${startedAt}`
	return told(state === 'haven in trouble' ? 'running' : state, `${since}; process ${pid}, snaphaven ${version}`, kind)
}

/** Of many things, so many are named. */
const NAMED = 10

function statusLines(status: ServiceStatus, at: number): Line[] {
	const { trouble, failing, waiting, unsealed, oldestUnsealed: oldest } = status
	const lines: Line[] = []
	if (trouble !== undefined) {
		lines.push(told('haven', `in trouble for ${age(at - Date.parse(trouble.since))}: ${trouble.message}`, 'bad'))
	}
	lines.push(told('sealed', sealedText(status, at)))
	if (status.live) lines.push(told('live', liveText(status.live, at)))
	if (status.backups) lines.push(told('backups', backupsText(status.backups, at)))
	const sweep = status.lastSweepAt === undefined ? 'no sweep yet' : `last sweep ${ago(status.lastSweepAt, at)}`
	lines.push(told('tables', `${counted(status.tables, 'table')}; ${sweep}`))
	const oldestText =
		oldest === undefined ? '' : `, the oldest ${shortName(oldest.snapshot)}, for ${age(at - Date.parse(oldest.since))}`
	lines.push(told('unsealed', unsealed === 0 ? 'nothing' : `${counted(unsealed, 'snapshot')}${oldestText}`))
	const named = (label: string, kind: Line['kind'], texts: string[]) => {
		lines.push(...texts.slice(0, NAMED).map((text) => told(label, text, kind)))
		if (texts.length > NAMED) lines.push(told(label, `and ${texts.length - NAMED} more (--json has all)`, kind))
	}
	const lasting = (since: string) => `(for ${age(at - Date.parse(since))})`
	named(
		'waiting',
		'doubtful',
		waiting.map(({ snapshot, reason, since }) => `${pathName(snapshot)}: ${reason} ${lasting(since)}`),
	)
	named(
		'failing',
		'bad',
		failing.map(({ what, reason, since }) => `${what}: ${reason} ${lasting(since)}`),
	)
	return lines
}

function liveText({ added, removed, bytes: size, lastAt }: NonNullable<ServiceStatus['live']>, at: number): string {
	const last = lastAt === undefined ? '' : `, the last change ${ago(lastAt, at)}`
	return `${counted(added, 'SSTable')} came (${bytes(size)}) and ${removed} went${last}`
}

function backupsText(
	{ added, pruned, bytes: size, lastAt }: NonNullable<ServiceStatus['backups']>,
	at: number,
): string {
	const last = lastAt === undefined ? '' : `, the last ${ago(lastAt, at)}`
	const gone = pruned === 0 ? '' : `, ${pruned} gone from the node`
	return `${counted(added, 'incremental SSTable')} came (${bytes(size)})${last}${gone}`
}

function sealedText({ sealed, bytes: size, moved, removed, lastSealAt }: ServiceStatus, at: number): string {
	const parts = [`${counted(sealed, 'snapshot')} (${bytes(size)})`]
	if (lastSealAt !== undefined) parts.push(`the last ${ago(lastSealAt, at)}`)
	if (moved > 0) parts.push(`${counted(moved, 'snapshot')} gone from the node`)
	if (removed > 0) parts.push(`${counted(removed, 'snapshot')} gone from the haven`)
	return parts.join(', ')
}

function told(label: string, text: string, kind: Line['kind'] = 'plain'): Line {
	return { ...resultLine(`${label}:`.padEnd(9), text, kind), importance: 'summary' }
}
