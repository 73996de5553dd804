import { tableName } from '../cassandra/find-tables.ts'
import type { Glance } from '../cassandra/glance.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { seeSnapshots } from './beginning.ts'
import type { Threads } from './engine.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatus } from './service-status.ts'
import type { ServiceOptions } from './types.ts'

/** What says which tables to look at (watch/). */
export interface Watch {
	/** Look at everything anew. */
	rescan: () => void
	close: () => Promise<void>
}

/** Starts to watch: by hints, and by a glance at all tables every so often. */
export type StartWatch = (on: {
	glance: () => Promise<Glance>
	onLook: (location: TableLocation, kind: 'snapshots' | 'live') => void
	onSweep: (glance: Glance) => void
	warn: (message: string) => void
}) => Watch

/** The node, as it is watched. */
interface Watched {
	status: () => ServiceStatus
	/** Looks at everything anew. */
	rescan: () => void
}

/** Asks for a look at a table. */
export type Want = (location: TableLocation, what: 'snapshots' | 'live' | 'both') => void

/** The tables of the node, as the last glance found them, and who is to look at them. */
export interface Node {
	/** The latest glance; undefined where the signal came before the first. */
	glance: (signal: AbortSignal) => Promise<Glance | undefined>
	/** What was on the node before anybody was told that it is watched (see beginKeyspaces). */
	seenFirst: () => ReadonlySet<string>
	/**
	 * From now on tables are to be looked at by this, beginning with all of them: at their snapshots, at their live
	 * SSTables, or at both.
	 */
	onWant: (want: Want | undefined) => void
	/** The tables that are there. */
	tables: () => TableLocation[]
	close: () => Promise<void>
}

/** A table is looked at within this time also where nothing hints at a change: what changed in place shows then. */
const ROUND_MS = 1_800_000

interface WatchParts {
	options: ServiceOptions
	startWatch: StartWatch
	onStart: (watched: Watched) => void
	onSweep: () => void
	log: ServiceLog
	/** Told of the tables that are there. */
	keepOnly: (locations: TableLocation[]) => void
	threads: Threads
}

/** Watches the node; `onSweep` is called after each glance, for the first time when what is there by then is known. */
export function watchNode({ options, startWatch, onStart, onSweep, log, keepOnly, threads }: WatchParts): Node {
	const { dataDirectories, keyspaces } = options
	const first = Promise.withResolvers<void>()
	// It is asked for where it matters.
	first.promise.catch(() => {})
	let seenFirst: ReadonlySet<string> | undefined
	let isSeeing = false
	const seeFirst = async (found: Glance) => {
		if (isSeeing) return
		isSeeing = true
		const all = found.tables.map(({ location }) => location)
		seenFirst = options.fullsync ? new Set() : await seeSnapshots(threads, all)
		first.resolve()
		onSweep()
	}
	let known: { glance: Glance; digest: string } | undefined
	let latest: Glance | undefined
	let tables: TableLocation[] = []
	let next = 0
	let want: Want | undefined
	const rescan = () => {
		watch.rescan()
		if (want) for (const location of tables) want(location, 'both')
	}
	const watch = startWatch({
		glance: async () => {
			const { glance, digest } = await threads.run(
				'glanceAnew',
				dataDirectories,
				keyspaces,
				{ live: options.live, backups: options.backups },
				known?.digest,
			)
			if (glance) known = { glance, digest }
			if (!known) throw new Error('a glance found nothing new, but it is the first')
			return known.glance
		},
		onLook: (location, kind) => want?.(location, kind),
		onSweep: (glance) => {
			if (glance !== latest) {
				tables = glance.tables
					.map(({ location }) => location)
					.filter(({ table }) => options.matchesTable(tableName(table)))
			}
			latest = glance
			log.swept(tables.length)
			keepOnly(tables)
			const share = Math.ceil((tables.length * options.sweepMs) / ROUND_MS)
			for (const location of tables.slice(next, next + share)) want?.(location, 'both')
			next = next + share >= tables.length ? 0 : next + share
			if (seenFirst) onSweep()
			else seeFirst(glance).catch(first.reject)
		},
		warn: (message) => log.totals.tell({ type: 'warning', message }),
	})
	onStart({ status: log.status, rescan })
	return {
		seenFirst: () => seenFirst ?? new Set(),
		glance: async (signal) => {
			await Promise.race([first.promise, aborted(signal)])
			return latest
		},
		onWant: (next) => {
			want = next
			if (want) for (const location of tables) want(location, 'both')
		},
		tables: () => tables,
		close: () => watch.close(),
	}
}

/** Resolves once the signal was given. */
export function aborted(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve()
	return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
