import { resolve } from 'node:path'
import { type SnaphavenError, usageError } from '../errors.ts'
import { LIVE } from '../haven/layout.ts'
import type { When } from '../restore/choose.ts'
import type { OtherTable } from '../restore/places.ts'
import type { SchemaWay } from '../restore/schema-target.ts'
import type { ChooseOptions, ImportOptions, OfflineOptions, RestoreOptions } from '../restore/types.ts'
import { cqlPlaceOf, nodetoolOf } from './facts-source.ts'
import type { FlagValues } from './flags.ts'
import { parseMoment } from './moment.ts'
import type { RESTORE_FLAGS } from './restore-flags.ts'
import { compileTables } from './selection.ts'
import { locate, type Places, requireHaven, type Surroundings } from './shared-options.ts'

type Values = FlagValues<typeof RESTORE_FLAGS>

/** What `snaphaven restore` is asked to do. */
export interface RestoreRun extends Pick<Places, 'haven' | 'stateDirectory'> {
	dryRun: boolean
	target: Target
}

/** Where it is restored to. */
export type Target =
	| ({ kind: 'folder' } & RestoreOptions)
	| ({ kind: 'node' } & ImportOptions)
	| ({ kind: 'stopped node' } & OfflineOptions)

/** Understands the flags; throws for what cannot be. now: ms since the epoch. */
export async function restoreOptions(
	values: Values,
	names: string[],
	around: Surroundings,
	now: number,
): Promise<RestoreRun> {
	requireHaven(values)
	const chosen = chooseOptions(values, names, now)
	refuseMixtures(values)
	const { haven, stateDirectory, dataDirectories } = await locate(values, around)
	const run = { haven, stateDirectory, dryRun: values['dry-run'] }
	if (values.import) {
		const making = values['create-schema'] ? schemaWay(values, around) : undefined
		const cql = cqlPlaceOf(values, around)
		const nodetool = nodetoolOf(values, around)
		const countRows = values['count-rows']
		if (countRows && !cql) {
			throw usageError('--count-rows asks the node by CQL, and --cql is not given', 'Give --cql HOST:PORT too.')
		}
		return { ...run, target: { kind: 'node', ...chosen, dataDirectories, nodetool, making, cql, countRows } }
	}
	if (values.offline) {
		return { ...run, target: { kind: 'stopped node', ...chosen, dataDirectories, replace: values.replace } }
	}
	if (values.to === undefined || values.to === '') {
		throw usageError(
			'where to? --to DIR is missing, the folder that it goes to; or --import, or --offline',
			'For example: --to /var/tmp/back',
		)
	}
	return { ...run, target: { kind: 'folder', ...chosen, to: resolve(around.directory, values.to), link: values.link } }
}

function chooseOptions(values: Values, names: string[], now: number): ChooseOptions {
	const tables = names.filter((name) => name.includes('.'))
	const named = compileTables(tables)
	const when = whenOf(values, now)
	if (values.backups && !('at' in when)) {
		throw usageError(
			'--backups adds what was flushed between a snapshot and the time that --at names, which is not given',
			'Give --at TIME too, or leave --backups out.',
		)
	}
	return {
		when,
		...(values.backups && 'at' in when ? { backupsUntilMs: when.at } : {}),
		wantsTable: compileTables(names),
		isNamed: (keyspace, name) => tables.length > 0 && named(keyspace, name),
		acceptDamaged: values['accept-damaged'],
		...(values.as === undefined ? {} : { as: otherTable(values.as) }),
	}
}

function otherTable(text: string): OtherTable {
	const [, keyspace, name] = /^(\w+)\.(\w+)$/.exec(text) ?? []
	if (keyspace !== undefined && name !== undefined) return { keyspace, name }
	throw usageError(`--as expects keyspace.table, but was given "${text}"`, 'For example: --as shop.orders_then')
}

function whenOf({ tag, at, live }: Values, now: number): When {
	if (live && (tag ?? at) !== undefined) throw conflict('live', tag === undefined ? 'at' : 'tag')
	if (live) return { tag: LIVE }
	if (tag !== undefined && at !== undefined) {
		throw usageError('-t and --at cannot be given together', 'Leave one of them out.')
	}
	if (tag !== undefined) return { tag }
	if (at !== undefined) return { at: parseMoment('--at', at, now, 'whole') }
	throw usageError(
		'which snapshots? Neither -t TAG nor --at TIME is given',
		'snaphaven list -s HAVEN says what is there.',
	)
}

/** By what a running node's schema is read and made: CQL where it is given, else cqlsh. */
function schemaWay(values: Values, around: Surroundings): SchemaWay {
	const cql = cqlPlaceOf(values, around)
	if (cql && values.cqlsh !== undefined) throw conflict('cql', 'cqlsh')
	return cql ? { cql } : { cqlsh: values.cqlsh ?? 'cqlsh' }
}

/** What is printed of the node's facts. */
export interface PrintRun extends Pick<Places, 'haven' | 'stateDirectory'> {
	what: 'schema' | 'roles' | 'tokens'
	chosen: ChooseOptions
	/** By what the schema is made on the running node, where it is to be. */
	apply: SchemaWay | undefined
	dryRun: boolean
}

/** Understands the flags where something is to be printed in place of a restore. Otherwise as restoreOptions. */
export async function printOptions(
	values: Values,
	names: string[],
	around: Surroundings,
	now: number,
): Promise<PrintRun> {
	requireHaven(values)
	const chosen = chooseOptions(values, names, now)
	refuseMixtures(values)
	if (values['dry-run'] && !values.apply)
		throw usageError('--dry-run has no meaning where nothing is done', 'Leave it out.')
	const { haven, stateDirectory } = await locate(values, around)
	const what = values.schema ? 'schema' : values.roles ? 'roles' : 'tokens'
	const apply = values.apply ? schemaWay(values, around) : undefined
	return { haven, stateDirectory, what, chosen, apply, dryRun: values['dry-run'] }
}

type Way = 'to' | 'import' | 'offline' | 'schema' | 'roles' | 'tokens'

/** The flags that mean something in these ways alone. */
const OF_WAY: Record<Way, (keyof Values)[]> = {
	to: ['to', 'link', 'as', 'live', 'backups'],
	import: [
		...(['import', 'as', 'backups', 'create-schema', 'count-rows', 'cql', 'cql-credentials', 'cqlsh'] as const),
		...(['nodetool', 'host', 'port', 'user', 'password-file'] as const),
	],
	offline: ['offline', 'replace', 'backups'],
	schema: ['schema', 'apply', 'cql', 'cql-credentials', 'cqlsh'],
	roles: ['roles'],
	tokens: ['tokens'],
}
const WAYS = Object.keys(OF_WAY) as Way[]

/** A flag of another way than the chosen one is hardly meant. */
function refuseMixtures(values: Values): void {
	const way = WAYS.find((name) => name !== 'to' && values[name] === true) ?? 'to'
	const own = new Set(OF_WAY[way])
	const stray = WAYS.flatMap((name) => OF_WAY[name])
		.filter((name) => !own.has(name))
		.find((name) => values[name] !== undefined && values[name] !== false)
	if (stray === 'apply')
		throw usageError('--apply makes what --schema tells, which is not given', 'Give both, or neither.')
	if (stray !== undefined) throw conflict(stray, way)
	if (values.as !== undefined && values['create-schema']) throw conflict('as', 'create-schema')
	if (way === 'schema' && !values.apply && (values.cql ?? values.cqlsh) !== undefined) {
		throw usageError(
			'--cql and --cqlsh say where --schema --apply makes the schema',
			'Give --apply too, or leave them out.',
		)
	}
}

function conflict(one: string, other: string): SnaphavenError {
	return usageError(`--${one} and --${other} cannot be given together`, 'Leave one of them out.')
}
