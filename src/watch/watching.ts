import type { Glance, KeyspaceFolder } from '../cassandra/glance.ts'
import { steadyMs } from '../files/builtins.ts'
import type { HintProcess } from './hint-process.ts'

/** What a process watches. */
export interface Watching {
	process: HintProcess
	/** By path. */
	folders: Map<string, KeyspaceFolder>
	/** The paths that are watched already. */
	ready: Set<string>
	/** How many folders there were to watch at the last sweep. */
	needed: number
	/** How many folders there were when it was asked how many it watches; undefined when it has answered. */
	asked?: number | undefined
	/** How often in a row it watched too few. */
	lacking: number
	/** When it was asked, or was started; a steady clock's ms. */
	askedAt: number
}

function pathOf({ dataDirectory, keyspace }: KeyspaceFolder): string {
	return `${dataDirectory}/${keyspace}`
}

/** Whether a folder that is watched is there no more, or another one has come in its place. */
export function isOther({ folders }: Watching, glance: Glance): boolean {
	const now = new Map(glance.folders.map((folder) => [pathOf(folder), folder.identity]))
	return [...folders].some(([path, { identity }]) => now.get(path) !== identity)
}

/** Has a folder watched, unless it is already or soon will be. */
export function subscribe({ folders, process }: Watching, folder: KeyspaceFolder): void {
	const path = pathOf(folder)
	if (folders.has(path)) return
	folders.set(path, folder)
	process.tell({ type: 'subscribe', path })
}

/** How many pauses between two questions an answer may take: on a busy machine it starts slowly. */
const PATIENCE = 5

/** Asks how it is, every `checkMs`; true where that has found no answer for too long. */
export function isStuck(watching: Watching, checkMs: number): boolean {
	const now = steadyMs()
	if (watching.asked !== undefined) return now > watching.askedAt + PATIENCE * checkMs
	if (now < watching.askedAt + checkMs) return false
	watching.askedAt = now
	watching.asked = watching.needed
	watching.process.tell({ type: 'check' })
	return false
}

/**
 * Whether folders are not watched that should be: since the watches ran out later, which nobody tells, since the disk
 * was unmounted and is back, or since a folder was made in a new one before that was watched. Twice in a row, since
 * folders come and go meanwhile.
 */
export function lacksWatches(watching: Watching, watches: number): boolean {
	const isAll = watching.ready.size === watching.folders.size
	watching.lacking = isAll && watches < (watching.asked ?? 0) ? watching.lacking + 1 : 0
	watching.asked = undefined
	return watching.lacking > 1
}
