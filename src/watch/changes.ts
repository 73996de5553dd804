import type { TableGlance } from '../cassandra/glance.ts'

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
export function changedTables(seen: Seen, tables: TableGlance[]): TableGlance[] {
	return tables.filter(({ location, mark }) => {
		const before = seen.get(tableKey(location))
		return before === undefined || before.isYoung || before.mark !== mark
	})
}

/** How tables are at a sweep, for the next one. */
export function seenNow(tables: TableGlance[], { beganMs, endedMs }: GlanceTime): Seen {
	return new Map(
		tables.map(({ location, mark, changedMs }) => {
			const isYoung = changedMs > beganMs - TICK_MS && changedMs < endedMs + TICK_MS
			return [tableKey(location), { mark, isYoung }]
		}),
	)
}
