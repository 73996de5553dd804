import { basename } from 'node:path'
import { type Glance, NOT_THERE } from '../cassandra/glance.ts'

/**
 * What a glance did not find of what was asked for, by what it is called, each with the warning. A keyspace need not be
 * in every data directory, and is not missed where no data directory is there at all.
 */
export function missingOf(glance: Glance, wanted: string[] | 'all'): Map<string, string> {
	const warnings = new Map<string, string>()
	const unreadable = new Set<string>()
	for (const { path, reason } of glance.missing) {
		const isKeyspace = glance.dataDirectories.some((directory) => path.startsWith(`${directory}/`))
		if (isKeyspace && reason === NOT_THERE) continue
		if (isKeyspace) unreadable.add(basename(path))
		const what = isKeyspace ? path : `the data directory ${path}`
		warnings.set(what, `${what} ${reason}; it is waited for`)
	}
	if (glance.dataDirectories.length === 0) return warnings
	const places = glance.dataDirectories.join(', ')
	for (const keyspace of wanted === 'all' ? [] : wanted) {
		if (glance.keyspaces.includes(keyspace) || unreadable.has(keyspace)) continue
		const what = `keyspace ${JSON.stringify(keyspace)}`
		warnings.set(what, `there is no ${what} in ${places}; it is waited for`)
	}
	if (wanted === 'all' && glance.keyspaces.length === 0) {
		warnings.set('a keyspace', `there is no keyspace in ${places}; one is waited for`)
	}
	return warnings
}

/** What is to be said of what is missing now, and was or was not before: each once when it goes, and once when it comes. */
export function presenceNews(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
	const back = [...before.keys()].filter((what) => !now.has(what)).map((what) => `${what} is there now`)
	const gone = [...now].filter(([what]) => !before.has(what)).map(([, warning]) => warning)
	return [...back, ...gone]
}
