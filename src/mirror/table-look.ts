import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { mirrorTable, type OpenSnapshot, type Pass, type TableOutcome } from './pass.ts'
import { lookAgainIn } from './retry.ts'
import type { ServiceLog } from './service-log.ts'

/** What is remembered of a table between two looks. */
interface Memory {
	/** Looks that left something failing, one after the other. */
	failures: number
	/** When something of it was last sealed, by the steady clock. */
	sealedMs: number | undefined
}

/** A service's look at a table: mirrors what it can, and says in how many ms to look again, if not only for a change. */
export function makeTableLook(pass: Pass, log: ServiceLog): (location: TableLocation) => Promise<number | undefined> {
	const memories = new Map<string, Memory>()
	return async (location) => {
		if (pass.signal.aborted) return undefined
		const key = `${location.keyspace}/${location.table}`
		const { failures, sealedMs } = memories.get(key) ?? { failures: 0, sealedMs: undefined }
		const { done, open, clearedAgainInMs } = await lookOnce(pass, location, log)
		const failing = open.some(({ state }) => state === 'failing')
		const memory = { failures: failing ? failures + 1 : 0, sealedMs: done > 0 ? steadyMs() : sealedMs }
		const pause = lookAgainIn({ nowMs: Date.now(), steadyMs: steadyMs(), open, ...memory })
		if (pause === undefined) memories.delete(key)
		else memories.set(key, memory)
		return clearedAgainInMs === undefined ? pause : Math.min(clearedAgainInMs, pause ?? clearedAgainInMs)
	}
}

async function lookOnce(pass: Pass, location: TableLocation, log: ServiceLog): Promise<TableOutcome> {
	try {
		const outcome = await mirrorTable(pass, location)
		log.tableWorks(location)
		return outcome
	} catch (error) {
		if (!pass.signal.aborted) {
			if (isOneSnapshots(error)) {
				log.tableFails(location, `${location.keyspace}.${location.table} could not be looked at: ${explain(error)}`)
			} else pass.fail(error)
		}
		const failing: OpenSnapshot = { tag: '', sinceMs: Date.now(), state: 'failing' }
		return { done: 0, open: [failing], clearedAgainInMs: undefined }
	}
}
