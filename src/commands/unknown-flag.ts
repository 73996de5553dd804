import { closestMatch } from 'leven'
import { type SnaphavenError, usageError } from '../errors.ts'
import type { Flags } from './flags.ts'

/**
 * The error for a flag that a command does not have, with the one that was likely meant.
 * @param raw As the parser sees it: `-o`.
 * @param argument The argument that holds it: `-once`.
 */
export function unknownFlag(raw: string, argument: string, flags: Flags): SnaphavenError {
	const place = raw === argument || raw.startsWith('--') ? '' : ` (in ${argument})`
	const meant = likelyMeant(raw.startsWith('--') ? raw : argument, flags)
	const suggestion = meant === undefined ? '' : `Did you mean --${meant}? `
	return usageError(`unknown flag ${raw}${place}`, `${suggestion}All flags: snaphaven --help`)
}

function likelyMeant(written: string, flags: Flags): string | undefined {
	const word = written.replace(/^-+/, '').replace(/=.*$/s, '').replaceAll('_', '-').toLowerCase()
	if (word.length < 2) return undefined
	const names = Object.keys(flags)
	const beginning = names.find((name) => name.startsWith(word))
	return beginning ?? closestMatch(word, names, { maxDistance: Math.max(2, Math.floor(word.length / 3)) })
}
