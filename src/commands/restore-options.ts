import { resolve } from 'node:path'
import { usageError } from '../errors.ts'
import type { When } from '../restore/choose.ts'
import type { RestoreOptions } from '../restore/types.ts'
import type { FlagValues } from './flags.ts'
import { parseMoment } from './moment.ts'
import type { RESTORE_FLAGS } from './restore-flags.ts'
import { compileTables } from './selection.ts'
import { locate, type Places, requireHaven, type Surroundings } from './shared-options.ts'

type Values = FlagValues<typeof RESTORE_FLAGS>

/** What `snaphaven restore` is asked to do. */
export interface RestoreRun extends RestoreOptions, Pick<Places, 'haven' | 'stateDirectory'> {
	dryRun: boolean
}

/** Understands the flags; throws for what cannot be. now: ms since the epoch. */
export async function restoreOptions(
	values: Values,
	names: string[],
	around: Surroundings,
	now: number,
): Promise<RestoreRun> {
	requireHaven(values)
	const when = whenOf(values, now)
	if (values.to === undefined || values.to === '') {
		throw usageError('where to? --to DIR is missing, the folder that it goes to', 'For example: --to /var/tmp/back')
	}
	const tables = names.filter((name) => name.includes('.'))
	const named = compileTables(tables)
	const noData = { 'cassandra-dir': undefined, 'data-dir': [], 'cassandra-yaml': undefined }
	const { haven, stateDirectory } = await locate({ ...values, ...noData }, around)
	return {
		when,
		wantsTable: compileTables(names),
		isNamed: (keyspace, name) => tables.length > 0 && named(keyspace, name),
		to: resolve(around.directory, values.to),
		link: values.link,
		acceptDamaged: values['accept-damaged'],
		dryRun: values['dry-run'],
		haven,
		stateDirectory,
	}
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
