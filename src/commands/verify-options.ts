import { usageError } from '../errors.ts'
import type { VerifyOptions } from '../mirror/verify-types.ts'
import { parseDuration } from './duration.ts'
import type { FlagValues } from './flags.ts'
import { selectionOf } from './selection.ts'
import { locate, type Surroundings } from './shared-options.ts'
import type { VERIFY_FLAGS } from './verify-flags.ts'

/** What `snaphaven verify` verifies. Throws for what cannot be. */
export async function verifyOptions(
	values: FlagValues<typeof VERIFY_FLAGS>,
	names: string[],
	around: Surroundings,
): Promise<VerifyOptions> {
	const sinceLast = values['since-last']
	return {
		selection: { ...selectionOf(values, names), live: true, backups: true },
		sinceLastMs: sinceLast === undefined ? undefined : parseDuration('--since-last', sinceLast),
		samplePercent: values.sample === undefined ? undefined : parsePercent(values.sample),
		quick: values.quick,
		...(await locate(values, around)),
	}
}

function parsePercent(text: string): number {
	const percent = /^(\d+(?:\.\d+)?)\s?%$/.exec(text)?.[1]
	if (percent !== undefined && Number(percent) > 0 && Number(percent) <= 100) return Number(percent)
	throw usageError(`--sample expects a part such as 5%, but was given "${text}"`)
}
