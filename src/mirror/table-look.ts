import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import type { Look } from './desk.ts'
import type { SnapshotLook } from './look.ts'
import type { BackupsMemory } from './mirror-backups.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { judged, mirrorTable, type OpenSnapshot, type Pass, type TableOutcome } from './pass.ts'
import { isResting, lookAgainIn } from './retry.ts'
import type { ServiceLog } from './service-log.ts'

/** What is remembered of a table between two looks. */
interface Memory {
	/** Looks that left something failing, one after the other. */
	failures: number
	/** When something of it was last sealed, by the steady clock. */
	sealedMs: number | undefined
	/** What failed and is left alone for a while. */
	resting: OpenSnapshot[]
}

/** What is remembered of all tables; longer than a session lasts. */
export interface Memories {
	tables: Map<string, Memory>
	/** Of tables' live sets: when each file was last looked at, by the steady clock, and how often a look has failed since. */
	lives: Map<string, { deepMs: number; failures: number }>
	/** Of tables' incremental backups. */
	backups: Map<string, BackupsMemory & { failures: number }>
	/** Nothing is left alone any more: somebody asks for a look at everything. */
	endRests: () => void
}

/** Begins with nothing remembered. */
export function makeMemories(): Memories {
	const tables = new Map<string, Memory>()
	const backups: Memories['backups'] = new Map()
	return {
		tables,
		lives: new Map(),
		backups,
		endRests: () => {
			backups.clear()
			for (const memory of tables.values()) memory.resting = []
		},
	}
}

/** A service's look at a table: mirrors what it can, and says in how many ms to look again, if not only for a change. */
export function makeTableLook(pass: Pass, log: ServiceLog, { tables }: Memories): Look {
	return async (location, onSlices) => {
		if (pass.signal.aborted) return undefined
		const key = `${location.keyspace}/${location.table}`
		const { failures, sealedMs, resting } = tables.get(key) ?? NOTHING
		const rests = ({ tag, identity }: SnapshotLook) =>
			resting.find((one) => one.tag === tag && isResting(one, identity, steadyMs()))
		const { done, open, clearedAgainInMs } = await lookOnce(
			{ ...pass, resting: rests, onSlices },
			location,
			log,
			resting,
		)
		const failing = open.some((one) => one.state === 'failing' && !resting.includes(one))
		const memory: Memory = {
			failures: failing ? failures + 1 : 0,
			sealedMs: done > 0 ? steadyMs() : sealedMs,
			resting: open.filter(({ rest }) => rest !== undefined),
		}
		const pause = lookAgainIn({ nowMs: Date.now(), steadyMs: steadyMs(), open, ...memory })
		if (pause === undefined) tables.delete(key)
		else tables.set(key, memory)
		return clearedAgainInMs === undefined ? pause : Math.min(clearedAgainInMs, pause ?? clearedAgainInMs)
	}
}

const NOTHING: Memory = { failures: 0, sealedMs: undefined, resting: [] }

async function lookOnce(
	pass: Pass,
	location: TableLocation,
	log: ServiceLog,
	resting: OpenSnapshot[],
): Promise<TableOutcome> {
	try {
		const outcome = await mirrorTable(pass, location)
		log.tableWorks(location)
		return outcome
	} catch (failed) {
		const error = await judged(pass, failed)
		if (!pass.signal.aborted) {
			if (isOneSnapshots(error)) {
				log.tableFails(location, `${location.keyspace}.${location.table} could not be looked at: ${explain(error)}`)
			} else pass.fail(error)
		}
		const failing: OpenSnapshot = { tag: '', sinceMs: Date.now(), state: 'failing' }
		return { done: 0, open: [failing, ...resting], clearedAgainInMs: undefined }
	}
}
