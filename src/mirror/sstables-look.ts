import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { SSTableFolders } from '../cassandra/look-at-live.ts'
import { steadyMs } from '../files/builtins.ts'
import type { Look } from './desk.ts'
import { mirrorBackups } from './mirror-backups.ts'
import { mirrorLive } from './mirror-live.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { judged, type Pass } from './pass.ts'
import { RETRY_MS_MAX, retryIn } from './retry.ts'
import type { ServiceLog } from './service-log.ts'
import type { Memories } from './table-look.ts'

/**
 * What no folder tells of, what Cassandra writes in place, is looked for in so many ms at the least: shorter than the slow
 * round over all tables, so that each of its looks is one.
 */
const DEEP_EVERY_MS = 900_000

/** A look lets others go first where a table changes all the time. */
const PATIENCE_MS = 1500
const BUSY_AGAIN_MS = 1000

/**
 * A service's look at a table's incremental backups and live SSTables, as far as they are asked for; says in how many ms to
 * look again, if not only for a change. What is new in both is shared by whichever comes second: these are the live ones,
 * whose first copy may take hours.
 */
export function makeSSTablesLook(pass: Pass, log: ServiceLog, memories: Memories): Look {
	const looks = [
		...(pass.options.backups ? [makeBackupsLook(pass, log, memories)] : []),
		...(pass.options.live ? [makeLiveLook(pass, log, memories)] : []),
	]
	return async (location, onSlices) => {
		let againInMs: number | undefined
		for (const look of looks) {
			const pause = await look(location, onSlices)
			if (pause !== undefined) againInMs = Math.min(pause, againInMs ?? pause)
		}
		return againInMs
	}
}

function makeBackupsLook(pass: Pass, log: ServiceLog, { backups }: Memories): Look {
	return async (location, onSlices) => {
		if (pass.signal.aborted) return undefined
		const key = `${location.keyspace}/${location.table}`
		const memory = backups.get(key) ?? { failures: 0 }
		backups.set(key, memory)
		try {
			const { outcome, againInMs } = await mirrorBackups({ ...pass, onSlices }, location, memory, PATIENCE_MS)
			memory.failures = 0
			log.sstablesWork(location, 'backups')
			return outcome === 'busy' ? BUSY_AGAIN_MS : againInMs
		} catch (failed) {
			return await failing(pass, location, log, memory, { failed, what: 'backups' })
		}
	}
}

function makeLiveLook(pass: Pass, log: ServiceLog, { lives }: Memories): Look {
	return async (location, onSlices) => {
		if (pass.signal.aborted) return undefined
		const key = `${location.keyspace}/${location.table}`
		const memory = lives.get(key) ?? { deepMs: steadyMs(), failures: 0 }
		lives.set(key, memory)
		const deep = steadyMs() - memory.deepMs >= DEEP_EVERY_MS
		if (deep) memory.deepMs = steadyMs()
		try {
			const outcome = await mirrorLive({ ...pass, onSlices }, location, { deep, patienceMs: PATIENCE_MS })
			memory.failures = 0
			log.sstablesWork(location, 'live')
			if (outcome === 'settled') return undefined
			return outcome === 'busy' ? BUSY_AGAIN_MS : RETRY_MS_MAX
		} catch (failed) {
			return await failing(pass, location, log, memory, { failed, what: 'live' })
		}
	}
}

async function failing(
	pass: Pass,
	location: TableLocation,
	log: ServiceLog,
	memory: { failures: number },
	{ failed, what }: { failed: unknown; what: SSTableFolders },
): Promise<number | undefined> {
	const error = await judged(pass, failed)
	if (pass.signal.aborted) return undefined
	if (!isOneSnapshots(error)) {
		pass.fail(error)
		return undefined
	}
	memory.failures += 1
	log.sstablesFail(location, what, explain(error))
	return retryIn(memory.failures)
}
