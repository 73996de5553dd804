import { resolve } from 'node:path'
import { type SnaphavenError, usageError } from '../errors.ts'
import type { When } from '../restore/choose.ts'
import type { OtherTable } from '../restore/places.ts'
import type { ChooseOptions, ImportOptions, OfflineOptions, RestoreOptions } from '../restore/types.ts'
import type { FlagValues } from './flags.ts'
import { parseMoment } from './moment.ts'
import type { RESTORE_FLAGS } from './restore-flags.ts'
import { compileTables } from './selection.ts'
import { locate, type Places, requireHaven, type Surroundings } from './shared-options.ts'
import { nodetoolOf } from './snapshot-options.ts'

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
		const cqlsh = values['create-schema'] ? (values.cqlsh ?? 'cqlsh') : undefined
		const nodetool = nodetoolOf(values, around)
		return { ...run, target: { kind: 'node', ...chosen, dataDirectories, nodetool, cqlsh } }
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
	return {
		when: whenOf(values, now),
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

function whenOf({ tag, at }: Values, now: number): When {
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

/** The flags that mean something in one way alone. */
const OF_WAY: Record<'to' | 'import' | 'offline', (keyof Values)[]> = {
	to: ['to', 'link'],
	import: ['import', 'create-schema', 'cqlsh', 'nodetool', 'host', 'port', 'user', 'password-file'],
	offline: ['offline', 'replace'],
}

/** A flag of another way than the chosen one is hardly meant. */
function refuseMixtures(values: Values): void {
	const way = values.import ? 'import' : values.offline ? 'offline' : 'to'
	const others = Object.entries(OF_WAY).filter(([name]) => name !== way)
	const stray = others
		.flatMap(([, names]) => names)
		.find((name) => values[name] !== undefined && values[name] !== false)
	if (stray !== undefined) throw conflict(stray, way)
	if (values.as === undefined) return
	if (values.offline) throw conflict('as', 'offline')
	if (values['create-schema']) throw conflict('as', 'create-schema')
}

function conflict(one: string, other: string): SnaphavenError {
	return usageError(`--${one} and --${other} cannot be given together`, 'Leave one of them out.')
}
