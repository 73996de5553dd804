import type { ExecutionContext } from 'ava'
import { type Glance, glanceAtTables } from '../../../src/cassandra/glance.ts'
import { runSync } from '../../../src/files/io.ts'
import { startWatch, type Watch, type WatchOptions } from '../../../src/watch/watch.ts'

/** A watch over real folders, and what it told so far. */
export interface Watching {
	watch: Watch
	/** The tables' folders it asked to look at, in order; a test empties it. */
	looks: string[]
	sweeps: Glance[]
	warnings: string[]
	/** From the second sweep after this on, only hints can tell: sweeps see what they saw before. */
	blindSweeps: () => void
}

/** No sweep after the first but those that hints ask for. */
export const NEVER_MS = 3_600_000

/** Starts it over all of the data directories' keyspaces, or those named. Ended with the test. */
export function watchFolders(
	t: ExecutionContext,
	dataDirectories: string[],
	options: Partial<WatchOptions> = {},
): Watching {
	let blind = false
	const { keyspaces = 'all' } = options
	const watching: Omit<Watching, 'watch'> = {
		looks: [],
		sweeps: [],
		warnings: [],
		blindSweeps: () => {
			blind = true
		},
	}
	const watch = startWatch({
		dataDirectories,
		keyspaces,
		matchesTable: () => true,
		sweepMs: 100,
		glance: async () => {
			const last = watching.sweeps.at(-1)
			if (!blind || !last) return runSync(glanceAtTables(dataDirectories, keyspaces))
			return { ...last, tables: last.tables.map((table) => ({ ...table, changedMs: 0 })) }
		},
		onLook: ({ table }) => watching.looks.push(table),
		onSweep: (glance) => watching.sweeps.push(glance),
		warn: (message) => watching.warnings.push(message),
		...options,
	})
	t.teardown(() => watch.close())
	return Object.assign(watching, { watch })
}

/** Waits until it holds, for as long as a slow machine may need. */
export async function until(what: string, holds: () => boolean): Promise<void> {
	const end = Date.now() + 300_000
	while (!holds()) {
		if (Date.now() > end) throw new Error(`in five minutes it did not come to this: ${what}`)
		await new Promise((resolve) => setTimeout(resolve, 10))
	}
}
