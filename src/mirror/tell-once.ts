import type { SnapshotName, SyncEvent } from './types.ts'

/** Lets an event through where it is news. */
export interface News {
	isNews: (event: SyncEvent) => boolean
	/** A trouble is over: it is news again when it comes back. */
	forget: (message: string) => void
}

/** So many things that were told are remembered; of older ones people hear again. */
const REMEMBERED_MAX = 10_000

/**
 * A service tries what failed or waits again and again, and says so when it begins, when the reason becomes another, and
 * (by the seal) when it ends.
 */
export function makeNews(): News {
	const told = new Map<string, string>()
	return {
		isNews: (event) => {
			if (event.type === 'sealed' || event.type === 'moved') {
				for (const type of ABOUT_SNAPSHOTS) told.delete(`${type} ${nameOf(event.snapshot)}`)
				return true
			}
			const what = keyOf(event)
			if (what === undefined) return true
			const [key, text] = what
			if (told.get(key) === text) return false
			told.delete(key)
			told.set(key, text)
			const [oldest] = told.keys()
			if (told.size > REMEMBERED_MAX && oldest !== undefined) told.delete(oldest)
			return true
		},
		forget: (message) => {
			told.delete(`trouble ${message}`)
		},
	}
}

const ABOUT_SNAPSHOTS = ['failed', 'kept', 'skipped', 'waiting', 'damaged', 'trouble'] as const

function keyOf(event: SyncEvent): [key: string, text: string] | undefined {
	switch (event.type) {
		case 'failed':
		case 'kept':
		case 'skipped':
			// Numbers, such as of bytes that are missing, are no news.
			return [`${event.type} ${nameOf(event.snapshot)}`, event.reason.replace(/\d+/g, '#')]
		// The reason changes with each file that comes: people need to hear of it once.
		case 'waiting':
		case 'damaged':
			return [`${event.type} ${nameOf(event.snapshot)}`, '']
		case 'liveKept':
		case 'liveDamaged':
		case 'backupsDamaged':
		case 'backupsKept':
			return [`${event.type} ${event.table.keyspace}/${event.table.table} ${event.reason}`, '']
		case 'trouble':
			return [`trouble ${event.snapshot ? nameOf(event.snapshot) : event.message}`, event.message]
		case 'warning':
			return event.standing ? [`warning ${event.message}`, ''] : undefined
		default:
			return undefined
	}
}

/** A snapshot's name, as a key. */
export function nameOf({ keyspace, table, tag }: SnapshotName): string {
	return `${keyspace}/${table}/${tag}`
}
