import PQueue from 'p-queue'
import { findTables, tableName } from '../cassandra/find-tables.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { usageError } from '../errors.ts'
import { codeOf, runAsync } from '../files/io.ts'
import { type Haven, openExistingHaven, openHaven, openingTrouble } from '../haven/haven.ts'
import { takeLease } from '../haven/lease.ts'
import { checkPlace, deviceOf } from '../haven/place.ts'
import { havenTrouble } from '../haven/trouble.ts'
import { type Engine, startThreads } from './engine.ts'
import { makeMarker } from './marker.ts'
import { mirrorTable, type Pass } from './pass.ts'
import { clearInherited, recoverInherited } from './recovery.ts'
import { makeRemover } from './remover.ts'
import { makeSealer } from './sealer.ts'
import { makeSpace } from './space.ts'
import { makeTotals, type Totals } from './totals.ts'
import type { SyncEvent, SyncOptions, SyncSummary } from './types.ts'

/** Tables that are looked at or whose snapshots are on their way at a time. */
const TABLES_IN_FLIGHT = 256

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
	const sharedDevices = await findSharedDevices(options)
	if (options.hardlink) checkHardlink(options, sharedDevices, totals)
	const threads = startThreads()
	let haven: Haven | undefined
	try {
		haven = await open(options, totals)
		const engine = await threads.engineFor(options.dryRun ? undefined : haven).catch((error: unknown) => {
			throw openingTrouble(options.haven, error)
		})
		const parts = { options, engine, totals, signal, sharedDevices }
		if (options.dryRun) await runPass(preparePass({ ...parts, haven, writing: undefined }), tables)
		else if (haven) await runWriting({ ...parts, haven }, tables)
	} finally {
		await threads.close()
		haven?.close()
	}
	return totals.summary()
}

function open(options: SyncOptions, totals: Totals): Promise<Haven | undefined> {
	const place = {
		path: options.haven,
		dataDirectories: options.dataDirectories,
		stateDirectory: options.stateDirectory,
		newHaven: options.newHaven,
		takeOver: options.takeOver,
		warn: (message: string) => totals.tell({ type: 'warning', message }),
	}
	return options.dryRun ? openExistingHaven(place) : openHaven(place)
}

interface Parts {
	options: SyncOptions
	engine: Engine
	totals: Totals
	signal: AbortSignal
	sharedDevices: bigint[]
}

async function runWriting({ haven, ...parts }: Parts & { haven: Haven }, tables: TableLocation[]): Promise<void> {
	const { engine, totals, signal } = parts
	const warn = (message: string) => totals.tell({ type: 'warning', message })
	try {
		const lease = await takeLease({ base: haven.base, haven: haven.path, onWait: warn, signal })
		try {
			const inherited = await recoverInherited(haven, lease, engine, warn)
			const sealer = makeSealer({ haven, lease, engine })
			const writers = { haven, lease, engine, sealer }
			const writing = {
				...{ lease, sealer, remover: makeRemover(writers), marker: makeMarker(writers) },
				...{ space: makeSpace(haven.base), inherited },
			}
			await runPass(preparePass({ ...parts, haven, writing }), tables)
			await sealer.idle()
			if (!signal.aborted) await clearInherited(haven, lease, engine)
		} finally {
			await lease.release()
		}
	} catch (error) {
		throw havenTrouble(error)
	}
}

function preparePass(parts: Parts & Pick<Pass, 'haven' | 'writing'>): Pass {
	const { engine, haven, totals } = parts
	let number = 0
	if (haven && !haven.record.capabilities.hardLinks) {
		totals.tell({
			type: 'warning',
			message: `the haven ${haven.path} cannot hard-link: each snapshot takes its full size there`,
		})
	}
	const stopper = new AbortController()
	const fail = (error: unknown) => stopper.abort(error)
	return {
		...parts,
		signal: AbortSignal.any([parts.signal, stopper.signal]),
		fail,
		failed: stopper.signal,
		queue: new PQueue({ concurrency: engine.slices }),
		umask: currentUmask(),
		nextNumber: () => number++,
		busy: { count: 0 },
	}
}

/** Devices of data directories that are the haven's too, or would be. */
async function findSharedDevices({ haven, dataDirectories }: SyncOptions): Promise<bigint[]> {
	const own = await deviceOf(haven)
	const devices = await Promise.all(dataDirectories.map(deviceOf))
	return devices.filter((device) => device !== undefined && device === own) as bigint[]
}

function checkHardlink({ dataDirectories, haven }: SyncOptions, shared: bigint[], totals: Totals): void {
	if (shared.length === 0) {
		throw usageError(
			`--hardlink needs the haven on the file system of a data directory, and ${haven} is on another`,
			'Leave --hardlink out to have files copied.',
		)
	}
	if (shared.length === dataDirectories.length) return
	const message = `some data directories are not on the haven’s file system: their files are copied, not linked`
	totals.tell({ type: 'warning', message })
}

/** Runs to the end of all that was begun, also after a failure that ends the pass: it is thrown then. */
async function runPass(pass: Pass, tables: TableLocation[]): Promise<void> {
	const queue = new PQueue({ concurrency: TABLES_IN_FLIGHT })
	const one = async (location: TableLocation) => {
		if (pass.signal.aborted) return
		try {
			await mirrorTable(pass, location)
		} catch (error) {
			if (pass.signal.aborted) return
			if (codeOf(error) === undefined) return pass.fail(error)
			const message = `${location.keyspace}.${location.table} could not be looked at: ${(error as Error).message}`
			pass.totals.tell({ type: 'trouble', message })
		}
	}
	await queue.addAll(tables.map((location) => () => one(location)))
	if (pass.failed.aborted) throw pass.failed.reason
}

/** Reading it means setting it; nothing else runs meanwhile that makes a file. */
function currentUmask(): number {
	const mask = process.umask(0o077)
	process.umask(mask)
	return mask
}
