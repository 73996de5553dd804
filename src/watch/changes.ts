import type { TableGlance } from '../cassandra/glance.ts'

/** What a table can have changed in: its snapshots, or its live SSTables. */
export type Kind = 'snapshots' | 'live'

/** How tables were at the last sweep, by keyspace and folder. */
export type Seen = ReadonlyMap<string, { mark: string; isYoung: boolean }>

/** When a glance began and when it ended, ms since the epoch. */
export interface GlanceTime {
	beganMs: number
	endedMs: number
}

/** The coarsest mtimes of a file system that Cassandra runs on, and some room: a later change can hide in the same tick. */
const TICK_MS = 2000

/** A table's name in Seen. */
export function tableKey({ keyspace, table }: { keyspace: string; table: string }): string {
	return `${keyspace}/${table}`
}

/**
 * Which tables are to be looked at: those that are new or have another mark, and those that had changed so shortly
 * before the last sweep that a change after it may have left the mark as it was.
 */
export function changedTables(seen: Seen, tables: TableGlance[], kind: Kind): TableGlance[] {
	return tables.filter((table) => {
		const now = stateOf(table, kind)
		const before = seen.get(tableKey(table.location))
		return now !== undefined && (before === undefined || before.isYoung || before.mark !== now.mark)
	})
}

function stateOf(table: TableGlance, kind: Kind): { mark: string; changedMs: number } | undefined {
	return kind === 'live' ? table.live : table
}

/** How tables are at a sweep, for the next one. */
export function seenNow(tables: TableGlance[], { beganMs, endedMs }: GlanceTime, kind: Kind): Seen {
	const seen = new Map<string, { mark: string; isYoung: boolean }>()
	for (const table of tables) {
		const now = stateOf(table, kind)
		if (!now) continue
		const isYoung = now.changedMs > beganMs - TICK_MS && now.changedMs < endedMs + TICK_MS
		seen.set(tableKey(table.location), { mark: now.mark, isYoung })
	}
	return seen
}
