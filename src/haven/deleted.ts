import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { DELETED, removing } from './layout.ts'
import { moveIfThere } from './renames.ts'

const DAY_MS = 86_400_000

/** The days of which something is kept and that are over for longer than so many days; each a folder in DELETED. */
export function* findExpired(base: string, days: number, nowMs: number): Io<string[]> {
	try {
		return (yield* readdir(`${base}/${DELETED}`)).filter((name) => isExpired(name, days, nowMs)).sort()
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return []
		throw error
	}
}

/** What is no day is somebody else's, and stays. */
function isExpired(name: string, days: number, nowMs: number): boolean {
	if (!/^\d{4}-\d\d-\d\d$/.test(name)) return false
	const endsMs = Date.parse(`${name}T00:00:00Z`) + DAY_MS
	return endsMs + days * DAY_MS <= nowMs
}

/** Takes a day out; what is in the folder of partial then is to be removed. False where it was gone. */
export function takeDayOut(base: string, partial: string, number: number, day: string): Io<boolean> {
	return moveIfThere(base, `${DELETED}/${day}`, removing.folder(partial, number))
}
