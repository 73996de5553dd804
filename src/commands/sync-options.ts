import { compileTableFilter } from '../cassandra/table-filter.ts'
import { compileTagPattern } from '../cassandra/tag-pattern.ts'
import { usageError } from '../errors.ts'
import type { ServiceOptions } from '../mirror/types.ts'
import type { ReporterOptions } from '../report/reporter.ts'
import { parseDuration } from './duration.ts'
import { factsSource } from './facts-source.ts'
import type { FlagValues } from './flags.ts'
import { keyspaceNames, locate, loudness, requireHaven, type Surroundings } from './shared-options.ts'
import type { SYNC_FLAGS } from './sync-flags.ts'

type Values = FlagValues<typeof SYNC_FLAGS>

const SETTLE_SECONDS = '60'
const SWEEP_SECONDS = '5'
const DELETES_AFTER_SECONDS = '3600'
const RATE_MIN = 1024
const YEAR_SECONDS = 366 * 86_400

/** What `snaphaven sync` is asked to tell. */
export function reporterOptions(values: Values): ReporterOptions {
	const logFormat = parseLogFormat(values['log-format'])
	return { ...loudness(values), json: values.json, dryRun: values['dry-run'], logFormat }
}

/** What `snaphaven sync` is asked to do. Throws for what cannot be, before anything was touched but cassandra.yaml. */
export async function syncOptions(values: Values, keyspaces: string[], around: Surroundings): Promise<ServiceOptions> {
	requireHaven(values)
	refuseWithoutNodetool(values)
	const options = {
		facts: factsSource(values, around),
		keyspaces: parseKeyspaces(values['all-keyspaces'], keyspaces),
		matchesTag: values['snapshot-regex'] === undefined ? () => true : compileTagPattern(values['snapshot-regex']),
		matchesTable: compileTableFilter(values['include-table'], values['exclude-table']),
		settleMs: parseSeconds('--settle-time', values['settle-time'] ?? SETTLE_SECONDS, [0, 86_400]),
		sweepMs: parseSeconds('--sweep-interval', values['sweep-interval'] ?? SWEEP_SECONDS, [0.1, 3600]),
		limitRate: parseRate(values['limit-rate']),
		requireMount: values['require-mount'],
		fullsync: values.fullsync || values.once,
		move: values['move-snapshots'],
		mirrorDeletes: parseMirrorDeletes(values['mirror-deletes'], values['mirror-deletes-after']),
		live: values['sync-sstables'],
		keepDeletedDays: parseKeepDeleted(values['sync-sstables'], values['keep-deleted']),
		backups: values.backups,
		pruneBackups: parsePruneBackups(values),
		hardlink: values.hardlink,
		dryRun: values['dry-run'],
		newHaven: values['new-haven'],
		takeOver: values['take-over'],
	}
	return { ...options, ...(await locate(values, around)) }
}

function parsePruneBackups(values: Values): ServiceOptions['pruneBackups'] {
	const after = values['prune-backups-after']
	if (!values['prune-backups']) {
		if (after === undefined) return undefined
		throw usageError(
			'--prune-backups-after says when --prune-backups deletes something, which is not given',
			'Give both, or neither.',
		)
	}
	if (!values.backups) {
		throw usageError(
			'--prune-backups deletes on the node what --backups has brought to the haven, which is not given',
			'Give --backups too, or leave --prune-backups out.',
		)
	}
	return { afterMs: after === undefined ? 0 : parseDuration('--prune-backups-after', after) }
}

function parseKeepDeleted(isLive: boolean, days?: string): number | undefined {
	if (days === undefined) return undefined
	if (!isLive) {
		throw usageError(
			'--keep-deleted says for how long --sync-sstables keeps what is compacted away, which is not given',
			'Give both, or neither.',
		)
	}
	if (/^\d{1,5}$/.test(days) && Number(days) > 0) return Number(days)
	throw usageError(`--keep-deleted expects a number of days, 1 or more, but was given "${days}"`)
}

/** These flags say how nodetool is called, which is done here only where it is named. */
function refuseWithoutNodetool(values: Values): void {
	const names = ['host', 'port', 'user', 'password-file'] as const
	const stray = names.find((name) => values[name] !== undefined)
	if (stray === undefined || values.nodetool !== undefined) return
	throw usageError(`--${stray} says how nodetool is called, and --nodetool is not given`, 'Give both, or neither.')
}

function parseKeyspaces(all: boolean, keyspaces: string[]): string[] | 'all' {
	const names = keyspaceNames(all, keyspaces)
	if (all) return 'all'
	if (names.length > 0) return names
	throw usageError('which keyspaces? None is named', 'Name one or more, or give --all-keyspaces')
}

function parseLogFormat(text = 'text'): 'text' | 'json' {
	if (text === 'text' || text === 'json') return text
	throw usageError(`--log-format expects text or json, but was given "${text}"`)
}

function parseMirrorDeletes(asked: boolean, after?: string): ServiceOptions['mirrorDeletes'] {
	if (asked)
		return { graceMs: parseSeconds('--mirror-deletes-after', after ?? DELETES_AFTER_SECONDS, [0, YEAR_SECONDS]) }
	if (after === undefined) return undefined
	throw usageError(
		'--mirror-deletes-after says how soon --mirror-deletes removes something, which is not given',
		'Give both, or neither.',
	)
}

/** Bytes a second; K, M and G are powers of 1024, as rsync's and curl's are. */
function parseRate(text?: string): number | undefined {
	if (text === undefined) return undefined
	const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([kKmMgG]?)$/.exec(text) ?? []
	const rate = Math.round(Number(number || Number.NaN) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' '))
	if (rate >= RATE_MIN) return rate
	throw usageError(`--limit-rate expects bytes a second, such as 50M, and at least 1K, but was given "${text}"`)
}

/** Seconds on the command line, milliseconds inside. */
function parseSeconds(flag: string, text: string, [min, max]: [number, number]): number {
	const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
	if (seconds >= min && seconds <= max) return Math.round(seconds * 1000)
	throw usageError(`${flag} expects seconds, from ${min} to ${max}, but was given "${text}"`)
}
