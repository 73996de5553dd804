import { compileTableFilter } from '../cassandra/table-filter.ts'
import { usageError } from '../errors.ts'
import type { TagOptions } from '../mirror/find-tag.ts'
import { parseDuration } from './duration.ts'
import type { FlagValues } from './flags.ts'
import { keyspaceNames, locate, requireHaven, type Surroundings } from './shared-options.ts'
import type { WAIT_FLAGS } from './wait-flags.ts'

const TIMEOUT = '1h'

/** What `snaphaven wait` waits for, and how long. Throws for what cannot be. */
export async function waitOptions(
	values: FlagValues<typeof WAIT_FLAGS>,
	keyspaces: string[],
	around: Surroundings,
): Promise<TagOptions & { timeoutMs: number }> {
	requireHaven(values)
	const names = keyspaceNames(values['all-keyspaces'], keyspaces)
	return {
		tag: requireTag(values.tag),
		timeoutMs: parseTimeout(values.timeout),
		keyspaces: names.length === 0 ? 'all' : names,
		matchesTable: compileTableFilter(values['include-table'], values['exclude-table']),
		...(await locate(values, around)),
	}
}

/** `--timeout`, in ms. */
export function parseTimeout(text = TIMEOUT): number {
	return parseDuration('--timeout', text)
}

function requireTag(tag: string | undefined): string {
	if (tag === undefined) {
		throw usageError('what for? -t TAG is missing, the tag that is waited for', 'For example: -t daily_1')
	}
	if (tag === '' || tag === '.' || tag === '..' || tag.includes('/')) {
		throw usageError(`"${tag}" is no tag: it is the name of a folder on the node`)
	}
	return tag
}
