import { resolve } from 'node:path'
import { readCassandraYaml, requireDataDirectories } from '../cassandra/cassandra-yaml.ts'
import { compileTableFilter } from '../cassandra/table-filter.ts'
import { compileTagPattern } from '../cassandra/tag-pattern.ts'
import { usageError } from '../errors.ts'
import type { SyncOptions } from '../mirror/types.ts'
import type { ReporterOptions } from '../report/reporter.ts'
import type { FlagValues } from './flags.ts'
import { nodePlaceholders, resolveHavenPath } from './haven-path.ts'
import { defaultStateDirectory } from './state-directory.ts'
import type { SYNC_FLAGS } from './sync-flags.ts'

type Values = FlagValues<typeof SYNC_FLAGS>

const CASSANDRA_DIRECTORY = '/var/lib/cassandra'
const SETTLE_SECONDS = 60
const SETTLE_SECONDS_MAX = 86_400

/** What a command line depends on besides itself. */
interface Surroundings {
	/** What relative paths are relative to. */
	directory: string
	environment: NodeJS.ProcessEnv
}

/** What `snaphaven sync` is asked to tell. */
export function reporterOptions(values: Values): ReporterOptions {
	if (values.quiet && values.verbosity !== undefined) throw conflict('-q', '-v')
	return {
		quiet: values.quiet,
		verbosity: parseVerbosity(values.verbosity),
		json: values.json,
		dryRun: values['dry-run'],
	}
}

/** What `snaphaven sync` is asked to do. Throws for what cannot be, before anything was touched but cassandra.yaml. */
export async function syncOptions(values: Values, keyspaces: string[], around: Surroundings): Promise<SyncOptions> {
	const haven = values['snapshot-dir']
	if (haven === undefined) {
		throw usageError(
			'where to? -s HAVEN is missing, the folder that the copies live in',
			'For example: -s /mnt/nas/{host}',
		)
	}
	refuseConflicts(values, keyspaces)
	refuseWhatIsToCome(values)
	const options = {
		keyspaces: parseKeyspaces(values['all-keyspaces'], keyspaces),
		matchesTag: values['snapshot-regex'] === undefined ? () => true : compileTagPattern(values['snapshot-regex']),
		matchesTable: compileTableFilter(values['include-table'], values['exclude-table']),
		settleMs: parseSettleTime(values['settle-time']),
		move: values['move-snapshots'],
		hardlink: values.hardlink,
		dryRun: values['dry-run'],
		newHaven: values['new-haven'],
		takeOver: values['take-over'],
	}
	return { ...options, ...(await locate(values, haven, around)) }
}

/** Where the data, the haven and this node's memory are. */
async function locate(
	values: Values,
	haven: string,
	{ directory, environment }: Surroundings,
): Promise<Pick<SyncOptions, 'dataDirectories' | 'haven' | 'stateDirectory'>> {
	const absolute = (path: string) => resolve(directory, path)
	const file = values['cassandra-yaml']
	const yaml = file === undefined ? undefined : await readCassandraYaml(absolute(file))
	const state = values['state-dir']
	return {
		dataDirectories: [...new Set(dataDirectories(values, yaml, file).map(absolute))],
		haven: await resolveHavenPath(haven, nodePlaceholders(yaml?.clusterName, environment), directory),
		stateDirectory: state === undefined ? defaultStateDirectory(environment) : absolute(state),
	}
}

function dataDirectories(
	values: Values,
	yaml: Awaited<ReturnType<typeof readCassandraYaml>> | undefined,
	file = '',
): string[] {
	if (values['data-dir'].length > 0) return values['data-dir']
	if (yaml !== undefined) return requireDataDirectories(yaml, file)
	return [`${values['cassandra-dir'] || CASSANDRA_DIRECTORY}/data`]
}

function refuseConflicts(values: Values, keyspaces: string[]): void {
	if (values['cassandra-dir'] !== undefined) {
		if (values['data-dir'].length > 0) throw conflict('-d', '--data-dir')
		if (values['cassandra-yaml'] !== undefined) throw conflict('-d', '--cassandra-yaml')
	}
	if (values['all-keyspaces'] && keyspaces.length > 0) {
		throw usageError(
			`--all-keyspaces and the name of a keyspace (${keyspaces.join(', ')}) cannot be given together`,
			'Leave one of them out.',
		)
	}
}

function conflict(one: string, other: string) {
	return usageError(`${one} and ${other} cannot be given together`, 'Leave one of them out.')
}

function refuseWhatIsToCome(values: Values): void {
	if (values['sync-sstables']) {
		throw usageError('--sync-sstables is not there yet: only snapshots are mirrored', 'Leave it out for now.')
	}
	if (!values.once && !values['dry-run']) {
		throw usageError(
			'watching for new snapshots is not there yet: only single passes are',
			'Give --once for a pass now, and run it regularly, for example by cron.',
		)
	}
}

function parseKeyspaces(all: boolean, keyspaces: string[]): string[] | 'all' {
	if (all) return 'all'
	if (keyspaces.length === 0) {
		throw usageError('which keyspaces? None is named', 'Name one or more, or give --all-keyspaces')
	}
	const strange = keyspaces.find((one) => !/^\w+$/.test(one))
	if (strange !== undefined) {
		throw usageError(
			`"${strange}" is no keyspace's name: expected letters, digits and _ alone`,
			'Tables are chosen by --include-table GLOB',
		)
	}
	return [...new Set(keyspaces)]
}

function parseVerbosity(text = '1'): 0 | 1 | 2 {
	if (text === '0') return 0
	if (text === '1') return 1
	if (text === '2') return 2
	throw usageError(`-v expects 0, 1 or 2, but was given "${text}"`)
}

/** Seconds on the command line, milliseconds inside. */
function parseSettleTime(text = String(SETTLE_SECONDS)): number {
	const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
	if (seconds <= SETTLE_SECONDS_MAX) return Math.round(seconds * 1000)
	throw usageError(`--settle-time expects seconds, from 0 to ${SETTLE_SECONDS_MAX}, but was given "${text}"`)
}
