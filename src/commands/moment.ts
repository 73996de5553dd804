import { usageError } from '../errors.ts'
import { parseDuration } from './duration.ts'

/**
 * The instant that a flag's value means, in ms since the epoch: a date (`2026-11-20`), a date and time in ISO 8601
 * (`2026-11-20T10:00`), or how long ago (`36h`, `30d`). Times are local where they name no zone (`Z`, `+02:00`). A date
 * alone is its first instant, or with `whole` its last one. Throws where it is none of these.
 */
export function parseMoment(flag: string, text: string, nowMs: number, day: 'begin' | 'whole' = 'begin'): number {
	if (/^\d+(\.\d+)?\s?[a-z]+$/i.test(text)) return nowMs - parseDuration(flag, text)
	const date = /^\d{4}-\d\d-\d\d$/.test(text)
	const time = date ? Date.parse(`${text}T00:00`) : Date.parse(text.replace(' ', 'T'))
	const shape = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/
	if (!shape.test(text) || Number.isNaN(time)) {
		throw usageError(
			`${flag} expects a date, a time or how long ago, but was given "${text}"`,
			`For example: ${flag} 2026-11-20, ${flag} 2026-11-20T10:00, ${flag} 30d`,
		)
	}
	return date && day === 'whole' ? nextDay(time) - 1 : time
}

/** A day is not always 24 hours long. */
function nextDay(time: number): number {
	const date = new Date(time)
	return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime()
}
