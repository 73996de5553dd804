import PQueue from 'p-queue'
import { findTables, tableName } from '../cassandra/find-tables.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { SSTableFolders } from '../cassandra/look-at-live.ts'
import { runAsync } from '../files/io.ts'
import { checkPlace } from '../haven/place.ts'
import { beginKeyspaces } from './beginning.ts'
import { startThreads } from './engine.ts'
import { tryToExpire } from './expire-deleted.ts'
import { mirrorBackups } from './mirror-backups.ts'
import { finishCleared } from './mirror-deletes.ts'
import { mirrorLive } from './mirror-live.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { judged, mirrorTable, type Pass } from './pass.ts'
import { sstablesOf } from './service-log.ts'
import { withPass } from './session.ts'
import type { TurnOutcome } from './sstable-turn.ts'
import { makeTotals } from './totals.ts'
import type { SyncEvent, SyncOptions, SyncSummary } from './types.ts'

/** Tables that are looked at or whose snapshots are on their way at a time. */
export const TABLES_IN_FLIGHT = 256

/**
 * Mirrors all snapshots of the keyspaces once. What is told goes to `tell`; an abort ends it as soon as what is in
 * flight has ended, with what was sealed sealed and the rest as if it had not been begun. Throws SnaphavenError for
 * what makes it impossible: nothing was touched where its exit code is 2.
 */
export async function runSync(
	options: SyncOptions,
	tell: (event: SyncEvent) => void,
	signal: AbortSignal,
): Promise<SyncSummary> {
	const totals = makeTotals(tell)
	await checkPlace(options.haven, options.dataDirectories)
	const found = await runAsync(findTables(options.dataDirectories, options.keyspaces))
	for (const message of found.troubles) totals.tell({ type: 'trouble', message })
	const tables = found.tables.filter(({ table }) => options.matchesTable(tableName(table)))
	const threads = startThreads()
	try {
		await withPass({ options, threads, totals, signal }, async (pass) => {
			await runPass(await beginKeyspaces(pass, { keyspaces: found.keyspaces, tables: found.tables }), tables)
		})
	} finally {
		await threads.close()
	}
	return totals.summary()
}

/** Tables whose SSTables are on their way at a time: what is known of each file takes memory. */
export const SSTABLES_IN_FLIGHT = 32

/** How long a table that changes all the time is looked at in one pass, in ms. */
const SSTABLES_PATIENCE_MS = 30_000

function tellBusy({ totals }: Pass, location: TableLocation, what: SSTableFolders): void {
	const end = what === 'live' ? 'the haven keeps the set that it has' : 'what is not whole is left to a later look'
	const message = `the ${sstablesOf(location, what)} changed each time that they were looked at: ${end}`
	totals.tell({ type: 'trouble', message })
}

async function mirrorOf(pass: Pass, location: TableLocation, what: SSTableFolders): Promise<TurnOutcome> {
	const patienceMs = SSTABLES_PATIENCE_MS
	if (what === 'live') return await mirrorLive(pass, location, { deep: true, patienceMs })
	return (await mirrorBackups(pass, location, {}, patienceMs)).outcome
}

async function runPass(pass: Pass, tables: TableLocation[]): Promise<void> {
	const queue = new PQueue({ concurrency: TABLES_IN_FLIGHT })
	const one = async (location: TableLocation) => {
		if (pass.signal.aborted) return
		try {
			await mirrorTable(pass, location)
		} catch (failed) {
			const error = await judged(pass, failed)
			if (pass.signal.aborted) return
			if (!isOneSnapshots(error)) return pass.fail(error)
			const message = `${location.keyspace}.${location.table} could not be looked at: ${explain(error)}`
			pass.totals.tell({ type: 'trouble', message })
		}
	}
	const queued = new PQueue({ concurrency: SSTABLES_IN_FLIGHT })
	const sstables = async (location: TableLocation, what: SSTableFolders) => {
		if (pass.signal.aborted) return
		try {
			if ((await mirrorOf(pass, location, what)) === 'busy') tellBusy(pass, location, what)
		} catch (failed) {
			const error = await judged(pass, failed)
			if (pass.signal.aborted) return
			if (!isOneSnapshots(error)) return pass.fail(error)
			const message = `the ${sstablesOf(location, what)} could not be mirrored: ${explain(error)}`
			pass.totals.tell({ type: 'trouble', message })
		}
	}
	await queue.addAll(
		tables.map((location) => async () => {
			await one(location)
			// After its snapshots, whose SSTables it can share.
			const { live, backups } = pass.options
			queued.add(async () => {
				if (backups) await sstables(location, 'backups')
				if (live) await sstables(location, 'live')
			})
		}),
	)
	await queued.onIdle()
	await tryToExpire(pass)
	await finishCleared(pass, tables)
}
