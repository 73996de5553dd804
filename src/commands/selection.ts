import picomatch from 'picomatch'
import { GLOB_OPTIONS } from '../cassandra/table-filter.ts'
import { usageError } from '../errors.ts'
import type { Selection } from '../mirror/read-catalog.ts'
import type { FlagValues } from './flags.ts'
import { parseMoment } from './moment.ts'
import type { SELECTION_FLAGS } from './selection-flags.ts'

/**
 * Which snapshots a command line means: those of `keyspace` or `keyspace.table` (globs; all where none is named), of a
 * tag that one of `--tag` fits, taken between `--since` and `--until`. Throws for what can fit nothing.
 */
export function selectionOf(
	values: FlagValues<typeof SELECTION_FLAGS>,
	names: string[],
	nowMs = Date.now(),
): Selection {
	const tags = values.tag.map((glob) => compileGlob('--tag', glob))
	const since = values.since === undefined ? Number.NEGATIVE_INFINITY : parseMoment('--since', values.since, nowMs)
	const until =
		values.until === undefined ? Number.POSITIVE_INFINITY : parseMoment('--until', values.until, nowMs, 'whole')
	const isAnyTime = values.since === undefined && values.until === undefined
	if (since > until) {
		throw usageError(`--since ${values.since} is later than --until ${values.until}`, 'Nothing can lie between them.')
	}
	return {
		isAll: names.length + tags.length === 0 && isAnyTime,
		wantsTable: compileTables(names),
		wantsTag: (tag) => tags.length === 0 || tags.some((fits) => fits(tag)),
		wantsTime: (takenAt) => {
			const takenAtMs = isAnyTime ? 0 : Date.parse(takenAt)
			return takenAtMs >= since && takenAtMs <= until
		},
	}
}

/** Whether one of `keyspace[.table]` fits; a name that can't be told yet is given the benefit of the doubt. */
export function compileTables(names: string[]): Selection['wantsTable'] {
	const pairs = names.map(compilePair)
	return (keyspace, table) =>
		pairs.length === 0 ||
		pairs.some(
			(pair) => (keyspace === undefined || pair.keyspace(keyspace)) && (table === undefined || pair.table(table)),
		)
}

function compilePair(name: string): { keyspace: Fits; table: Fits } {
	const [keyspace = '', table, ...more] = name.split('.')
	const stray = /[^\w*?[\]{}(),!|+@^.-]/.exec(name)
	if (keyspace === '' || table === '' || more.length > 0 || stray) {
		throw usageError(
			`"${name}" names no keyspace or table`,
			'Give keyspace or keyspace.table, each a name or a glob: shop, shop.orders, "shop.order*"',
		)
	}
	return {
		keyspace: compileGlob('keyspace', keyspace),
		table: table === undefined ? () => true : compileGlob('table', table),
	}
}

type Fits = (text: string) => boolean

/** Tags may hold nearly anything: a name also fits itself. */
function compileGlob(what: string, glob: string): Fits {
	try {
		const fits = picomatch(glob, GLOB_OPTIONS)
		return (text) => text === glob || fits(text)
	} catch (error) {
		throw usageError(`${what} "${glob}" is no glob: ${error instanceof Error ? error.message : String(error)}`)
	}
}
