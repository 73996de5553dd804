import { tableName } from '../cassandra/find-tables.ts'
import type { Glance, KeyspaceFolder } from '../cassandra/glance.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { makeAlarm } from './alarm.ts'
import { changedTables, type Kind, type Seen, seenNow, tableKey } from './changes.ts'
import { startHints } from './hints.ts'
import { missingOf, presenceNews } from './presence.ts'

/** What to watch, and whom to tell. */
export interface WatchOptions {
	dataDirectories: string[]
	keyspaces: string[] | 'all'
	/** Whether a table is wanted, by its name without its id. */
	matchesTable: (tableName: string) => boolean
	/** The pause between two sweeps. */
	sweepMs: number
	/** glanceAtTables of these data directories and keyspaces; the very same object as last time where all is as it was. */
	glance: () => Promise<Glance>
	/** False: sweeps alone; for tests. */
	hints?: boolean
	/** How often to check that the watch still stands, ms; default a minute. */
	checkMs?: number
	/**
	 * "Look at this table now", at its snapshots or (where glances tell of them) its live SSTables: every one at the first
	 * sweep, then those that something may have changed in.
	 */
	onLook: (location: TableLocation, kind: Kind) => void
	/** At each sweep, before the tables that it found changed: all that it saw, tables that are not wanted too. */
	onSweep: (glance: Glance) => void
	/** Once when something goes wrong or missing, once when it is well again. */
	warn: (message: string) => void
}

/** A watch over tables. */
export interface Watch {
	/** Every table is looked at anew, by a sweep that begins now. */
	rescan: () => void
	/** Ends it. Nothing is told from now on; resolves when no process is left. */
	close: () => Promise<void>
}

const KINDS: Kind[] = ['snapshots', 'live']

/** The pause before a sweep that a hint asks for: a storm of new tables costs few. */
const SOON_MS = 500

/**
 * Watches until closed. The disk is the truth: sweeps, never two at once, find all there is to find, and hints from the
 * kernel only make it sooner. Nothing that the disks or the kernel do ends it.
 */
export function startWatch(options: WatchOptions): Watch {
	const { keyspaces, matchesTable, sweepMs, glance, onLook, onSweep, warn } = options
	const alarm = makeAlarm()
	let isClosed = false
	let isRescan = false
	let latest: Glance | undefined
	let seen: Record<Kind, Seen> = { snapshots: new Map(), live: new Map() }
	let isAnyYoung = false
	let locations = new Map<string, TableLocation>()
	let missing = new Map<string, string>()

	const onHint = ({ dataDirectory, keyspace }: KeyspaceFolder, tables: string[]) => {
		for (const table of tables) {
			const location = locations.get(tableKey({ keyspace, table }))
			if (location?.dataDirectories.includes(dataDirectory)) onLook(location, 'snapshots')
			else if (matchesTable(tableName(table))) alarm.within(SOON_MS)
		}
	}
	const onReady = () => alarm.within(0)
	const { checkMs = 60_000 } = options
	const hints = options.hints === false ? undefined : startHints({ onHint, onReady, warn, checkMs })

	let trouble = false
	const tryGlance = async (): Promise<Glance | undefined> => {
		try {
			const found = await glance()
			if (trouble && !isClosed) warn('the data directories can be looked at again')
			trouble = false
			return found
		} catch (error) {
			if (!trouble && !isClosed) warn(`can’t look at the data directories: ${String(error)}`)
			trouble = true
			return undefined
		}
	}
	/** The tables to look at, and at what of them. */
	const compare = (whole: Glance, beganMs: number): { location: TableLocation; kind: Kind }[] => {
		const tables = whole.tables.filter(({ location }) => matchesTable(tableName(location.table)))
		const times = { beganMs, endedMs: Date.now() }
		const changed = KINDS.flatMap((kind) =>
			changedTables(isRescan ? new Map() : seen[kind], tables, kind).map(({ location }) => ({ location, kind })),
		)
		isRescan = false
		seen = { snapshots: seenNow(tables, times, 'snapshots'), live: seenNow(tables, times, 'live') }
		isAnyYoung = KINDS.some((kind) => [...seen[kind].values()].some(({ isYoung }) => isYoung))
		locations = new Map(tables.map(({ location }) => [tableKey(location), location]))
		const nowMissing = missingOf(whole, keyspaces)
		for (const message of presenceNews(missing, nowMissing)) warn(message)
		missing = nowMissing
		return changed
	}
	const sweep = async () => {
		const beganMs = Date.now()
		const whole = await tryGlance()
		if (isClosed || !whole) return
		const changed = whole === latest && !isRescan && !isAnyYoung ? [] : compare(whole, beganMs)
		latest = whole
		onSweep(whole)
		for (const { location, kind } of changed) onLook(location, kind)
		hints?.follow(whole)
	}
	const sweepUntilClosed = async () => {
		while (!isClosed) {
			await sweep()
			await alarm.wait(sweepMs)
		}
	}
	sweepUntilClosed()

	return {
		rescan: () => {
			isRescan = true
			alarm.within(0)
		},
		close: async () => {
			isClosed = true
			alarm.within(0)
			await hints?.close()
		},
	}
}
