import PQueue from 'p-queue'
import type { TableLocation } from '../cassandra/list-snapshot.ts'

/** Decides which table is looked at when: one look at a table at a time, so many tables side by side. */
export interface Desk {
	/** Look at this table: now, or once the look under way has ended. A later look that was agreed on is off then. */
	want: (location: TableLocation) => void
	/** Resolves when nothing is being looked at, and nothing wanted now. */
	idle: () => Promise<void>
	/** Begins no look any more, and resolves when those under way have ended. */
	close: () => Promise<void>
}

interface Entry {
	location: TableLocation
	state: 'resting' | 'queued' | 'running'
	/** Wanted again while it was looked at. */
	again: boolean
	timer: NodeJS.Timeout | undefined
}

/**
 * Looks at a table, and says after how many ms to look again, if so. It never rejects. `giveWay` lets another table's look
 * begin beside it: what is still to be done takes long.
 */
export type Look = (location: TableLocation, giveWay: () => void) => Promise<number | undefined>

/** @param concurrency So many looks at a time, but for those that have given way: of these there are as many as tables. */
export function makeDesk(look: Look, concurrency: number): Desk {
	const queue = new PQueue({ concurrency })
	const running = new Set<Promise<void>>()
	const entries = new Map<string, Entry>()
	let closed = false
	const begin = (key: string, entry: Entry) => {
		clearTimeout(entry.timer)
		entry.timer = undefined
		entry.state = 'queued'
		queue.add(() => start(key, entry)).catch(() => {})
	}
	const start = async (key: string, entry: Entry) => {
		if (closed) return
		const way = Promise.withResolvers<void>()
		const ended = run(key, entry, way.resolve)
		running.add(ended)
		await Promise.race([way.promise, ended.finally(() => running.delete(ended))])
	}
	const run = async (key: string, entry: Entry, giveWay: () => void) => {
		entry.state = 'running'
		entry.again = false
		const againInMs = await look(entry.location, giveWay)
		entry.state = 'resting'
		if (closed) return
		if (entry.again) return begin(key, entry)
		if (againInMs === undefined) entries.delete(key)
		else entry.timer = setTimeout(() => begin(key, entry), againInMs)
	}
	const idle = async () => {
		do await Promise.all([queue.onIdle(), ...running])
		while (running.size > 0 || queue.size + queue.pending > 0)
	}
	return {
		want: (location) => {
			if (closed) return
			const key = `${location.keyspace}/${location.table}`
			const entry = entries.get(key) ?? { location, state: 'resting', again: false, timer: undefined }
			entries.set(key, entry)
			entry.location = location
			if (entry.state === 'resting') begin(key, entry)
			else if (entry.state === 'running') entry.again = true
		},
		idle,
		close: async () => {
			closed = true
			for (const { timer } of entries.values()) clearTimeout(timer)
			queue.clear()
			await idle()
		},
	}
}
