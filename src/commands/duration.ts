import ms, { type StringValue } from 'ms'
import { usageError } from '../errors.ts'

/**
 * The milliseconds of a flag's value such as `90s`, `30m`, `1.5h` or `2d`. Throws where it is none: a bare number too,
 * since nobody can see its unit.
 */
export function parseDuration(flag: string, text: string): number {
	const value = /^\d+(\.\d+)?\s?[a-z]+$/i.test(text) ? ms(text as StringValue) : undefined
	if (value !== undefined && Number.isFinite(value)) return value
	throw usageError(`${flag} expects a time such as 90s, 30m, 2h or 1d, but was given "${text}"`)
}
