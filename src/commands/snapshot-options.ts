import type { Nodetool } from '../cassandra/nodetool.ts'
import { usageError } from '../errors.ts'
import type { TagOptions } from '../mirror/find-tag.ts'
import type { SyncOptions } from '../mirror/types.ts'
import { checkWord, cqlPlaceOf, nodetoolOf } from './facts-source.ts'
import type { FlagValues } from './flags.ts'
import { keyspaceNames, locate, requireHaven, type Surroundings } from './shared-options.ts'
import type { SNAPSHOT_FLAGS } from './snapshot-flags.ts'
import { SETTLE_MS } from './tell-waited.ts'
import { parseTimeout } from './wait-options.ts'

type Values = FlagValues<typeof SNAPSHOT_FLAGS>

/** What `snaphaven snapshot` is asked to do. */
export interface SnapshotOptions extends SyncOptions, TagOptions {
	keyspaces: string[]
	ttl: string | undefined
	clear: boolean
	timeoutMs: number
	nodetool: Nodetool
}

/** Understands the flags; throws for what cannot be. now: when it was asked for. */
export async function snapshotOptions(
	values: Values,
	keyspaces: string[],
	around: Surroundings,
	now: Date,
): Promise<SnapshotOptions> {
	requireHaven(values)
	const cql = cqlPlaceOf(values, around)
	const beginning = {
		newHaven: values['new-haven'],
		takeOver: values['take-over'],
		requireMount: values['require-mount'],
	}
	return {
		tag: values.tag === undefined ? tagOf(now) : checkTag(values.tag),
		keyspaces: requireKeyspaces(keyspaces),
		ttl: values.ttl === undefined ? undefined : checkWord('--ttl', values.ttl),
		clear: values.clear,
		timeoutMs: parseTimeout(values.timeout),
		nodetool: nodetoolOf(values, around),
		facts: cql ? { cql } : {},
		matchesTag: () => true,
		matchesTable: () => true,
		settleMs: SETTLE_MS,
		// Else a keyspace that is first kept now would begin without this very snapshot.
		fullsync: true,
		move: false,
		mirrorDeletes: undefined,
		live: false,
		keepDeletedDays: undefined,
		backups: false,
		pruneBackups: undefined,
		hardlink: false,
		dryRun: false,
		beginning,
		...beginning,
		...(await locate(values, around)),
	}
}

/** `snaphaven-20261121T101500Z` */
function tagOf(now: Date): string {
	return `snaphaven-${now.toISOString().replace(/[-:]|\.\d+/g, '')}`
}

/** nodetool's start script divides its arguments at blanks, and expands globs in them. */
function checkTag(tag: string): string {
	if (/^[\w.:+@][\w.:+@-]*$/.test(tag) && tag !== '.' && tag !== '..') return tag
	throw usageError(`the tag "${tag}" can’t be given to nodetool: expected letters, digits and _ - . : + @ alone`)
}

function requireKeyspaces(keyspaces: string[]): string[] {
	const names = keyspaceNames(false, keyspaces)
	if (names.length > 0) return names
	throw usageError('which keyspaces? None is named', 'Name one or more.')
}
