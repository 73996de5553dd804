import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { OpenSnapshot } from './pass.ts'
import type { SnapshotName } from './types.ts'

/** What a service knows of the snapshots that are not sealed yet. */
export interface Ledger {
	/** This is all that is open of the table now. */
	set: (location: TableLocation, open: OpenSnapshot[]) => void
	/** Forgets tables that are no longer there. */
	keepOnly: (locations: TableLocation[]) => void
	all: () => OpenWithName[]
}

/** A snapshot that is open, by its whole name. */
export interface OpenWithName extends OpenSnapshot {
	snapshot: SnapshotName
}

/** Begins with nothing open. */
export function makeLedger(): Ledger {
	const tables = new Map<string, OpenWithName[]>()
	const keyOf = ({ keyspace, table }: { keyspace: string; table: string }) => `${keyspace}/${table}`
	const all = () => [...tables.values()].flat()
	return {
		set: (location, open) => {
			const { keyspace, table } = location
			if (open.length === 0) tables.delete(keyOf(location))
			else {
				const named = open.map((one) => ({ ...one, snapshot: { keyspace, table, tag: one.tag } }))
				tables.set(keyOf(location), named)
			}
		},
		keepOnly: (locations) => {
			if (tables.size === 0) return
			const there = new Set(locations.map(keyOf))
			for (const key of tables.keys()) if (!there.has(key)) tables.delete(key)
		},
		all,
	}
}
