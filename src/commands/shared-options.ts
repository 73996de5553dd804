import { resolve } from 'node:path'
import { readCassandraYaml, requireDataDirectories } from '../cassandra/cassandra-yaml.ts'
import { type SnaphavenError, usageError } from '../errors.ts'
import type { Loudness } from '../report/messages.ts'
import type { FlagValues } from './flags.ts'
import { nodePlaceholders, resolveHavenPath } from './haven-path.ts'
import type { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'
import { defaultStateDirectory } from './state-directory.ts'

const CASSANDRA_DIRECTORY = '/var/lib/cassandra'

/** What a command line depends on besides itself. */
export interface Surroundings {
	/** What relative paths are relative to. */
	directory: string
	environment: NodeJS.ProcessEnv
}

/** Where the data, the haven and this node's memory are; all absolute. */
export interface Places {
	dataDirectories: string[]
	haven: string
	stateDirectory: string
}

type DataValues = FlagValues<typeof DATA_FLAGS>
type PlaceValues = DataValues & FlagValues<typeof HAVEN_FLAGS> & Pick<FlagValues<typeof PLACE_FLAGS>, 'state-dir'>

/** Where all is by the flags. Throws for a haven that is not named and for places that exclude each other. */
export async function locate(values: PlaceValues, { directory, environment }: Surroundings): Promise<Places> {
	const haven = requireHaven(values)
	const { dataDirectories, clusterName } = await locateData(values, directory)
	const state = values['state-dir']
	return {
		dataDirectories,
		haven: await resolveHavenPath(haven, nodePlaceholders(clusterName, environment), directory),
		stateDirectory: state === undefined ? defaultStateDirectory(environment) : resolve(directory, state),
	}
}

/**
 * Where Cassandra's data is by the flags, absolute, and the cluster's name where cassandra.yaml tells it. Throws for
 * places that exclude each other.
 * @param directory What relative paths are relative to.
 */
export async function locateData(
	values: DataValues,
	directory: string,
): Promise<{ dataDirectories: string[]; clusterName: string | undefined }> {
	if (values['cassandra-dir'] !== undefined) {
		if (values['data-dir'].length > 0) throw conflict('-d', '--data-dir')
		if (values['cassandra-yaml'] !== undefined) throw conflict('-d', '--cassandra-yaml')
	}
	const absolute = (path: string) => resolve(directory, path)
	const file = values['cassandra-yaml']
	const yaml = file === undefined ? undefined : await readCassandraYaml(absolute(file))
	const named = dataDirectoriesOf(values, yaml, file)
	return { dataDirectories: [...new Set(named.map(absolute))], clusterName: yaml?.clusterName }
}

/** The haven as it is named; throws where it is not. */
export function requireHaven(values: FlagValues<typeof HAVEN_FLAGS>): string {
	const haven = values['snapshot-dir']
	if (haven !== undefined) return haven
	throw usageError(
		'where to? -s HAVEN is missing, the folder that the copies live in',
		'For example: -s /mnt/nas/{host}',
	)
}

function dataDirectoriesOf(
	values: DataValues,
	yaml: Awaited<ReturnType<typeof readCassandraYaml>> | undefined,
	file = '',
): string[] {
	if (values['data-dir'].length > 0) return values['data-dir']
	if (yaml !== undefined) return requireDataDirectories(yaml, file)
	return [`${values['cassandra-dir'] || CASSANDRA_DIRECTORY}/data`]
}

/** How much is to be told. */
export function loudness(values: Pick<FlagValues<typeof TELLING_FLAGS>, 'quiet' | 'verbosity'>): Loudness {
	if (values.quiet && values.verbosity !== undefined) throw conflict('-q', '-v')
	return { quiet: values.quiet, verbosity: parseVerbosity(values.verbosity) }
}

function parseVerbosity(text = '1'): 0 | 1 | 2 {
	if (text === '0') return 0
	if (text === '1') return 1
	if (text === '2') return 2
	throw usageError(`-v expects 0, 1 or 2, but was given "${text}"`)
}

/** The keyspaces that are named, each once. Throws for what is no keyspace's name, and where all are asked for too. */
export function keyspaceNames(all: boolean, keyspaces: string[]): string[] {
	if (all && keyspaces.length > 0) {
		throw usageError(
			`--all-keyspaces and the name of a keyspace (${keyspaces.join(', ')}) cannot be given together`,
			'Leave one of them out.',
		)
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

function conflict(one: string, other: string): SnaphavenError {
	return usageError(`${one} and ${other} cannot be given together`, 'Leave one of them out.')
}
