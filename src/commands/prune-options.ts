import { compileTagPattern } from '../cassandra/tag-pattern.ts'
import { usageError } from '../errors.ts'
import type { Selection } from '../mirror/read-catalog.ts'
import { type KeepRules, PERIODS } from '../prune/keep.ts'
import { parseDuration } from './duration.ts'
import type { FlagValues } from './flags.ts'
import type { PRUNE_FLAGS } from './prune-flags.ts'
import { selectionOf } from './selection.ts'
import { locate, type Places, type Surroundings } from './shared-options.ts'

/** What is to be pruned, and where. */
export interface PruneOptions extends Places {
	selection: Selection
	rules: KeepRules
	allowEmpty: boolean
	dryRun: boolean
}

type Values = FlagValues<typeof PRUNE_FLAGS>

/** What a command line asks `snaphaven prune` for. Throws for what cannot be, and where nothing says what to keep. */
export async function pruneOptions(values: Values, names: string[], around: Surroundings): Promise<PruneOptions> {
	const places = await locate(values, around)
	return {
		...places,
		rules: keepRules(values),
		selection: selectionOf(values, names),
		allowEmpty: values['allow-empty'],
		dryRun: values['dry-run'],
	}
}

function keepRules(values: Values): KeepRules {
	const tags = values['keep-tag'].map(compileTagPattern)
	const within = values['keep-within']
	const counts = PERIODS.map((period) => [period, keepCount(`--keep-${period}`, values[`keep-${period}`])] as const)
	if (within === undefined && tags.length === 0 && counts.every(([, count]) => count === 0)) {
		throw usageError(
			'what is to be kept? no --keep-… says it, and prune removes the rest',
			'For example: --keep-daily 7 --keep-weekly 5 --keep-monthly 12. With -n nothing is touched.',
		)
	}
	return {
		...(Object.fromEntries(counts) as Record<(typeof PERIODS)[number], number>),
		withinMs: within === undefined ? undefined : parseDuration('--keep-within', within),
		keepsTag: (tag) => tags.some((matches) => matches(tag)),
	}
}

function keepCount(flag: string, text = '0'): number {
	if (text === 'unlimited') return Number.POSITIVE_INFINITY
	if (/^\d{1,9}$/.test(text)) return Number(text)
	throw usageError(`${flag} expects a number or "unlimited", but was given "${text}"`)
}
