import { setTimeout as sleep } from 'node:timers/promises'
import { tableName } from '../cassandra/find-tables.ts'
import type { Glance } from '../cassandra/glance.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { beginKeyspaces } from './beginning.ts'
import { makeDesk } from './desk.ts'
import { startThreads } from './engine.ts'
import { makeLedger } from './ledger.ts'
import { findVanishedTables } from './mirror-deletes.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import type { Pass } from './pass.ts'
import { clearInherited } from './recovery.ts'
import { makeServiceLog, type ServiceLog } from './service-log.ts'
import type { ServiceStatus } from './service-status.ts'
import { withPass } from './session.ts'
import { keepSessions } from './sessions.ts'
import { TABLES_IN_FLIGHT } from './sync.ts'
import { makeTableLook } from './table-look.ts'
import type { ServiceOptions, SyncEvent, SyncSummary } from './types.ts'

/** What says which tables to look at (watch/). */
export interface Watch {
	/** Look at everything anew. */
	rescan: () => void
	close: () => Promise<void>
}

/** Starts to watch: by hints, and by a glance at all tables every so often. */
export type StartWatch = (on: {
	glance: () => Promise<Glance>
	onLook: (location: TableLocation) => void
	onSweep: (glance: Glance) => void
	warn: (message: string) => void
}) => Watch

/** What a service is joined with. */
interface ServiceParts {
	options: ServiceOptions
	tell: (event: SyncEvent) => void
	/** Its abort ends the service, as soon as what is in flight has ended. */
	signal: AbortSignal
	startWatch: StartWatch
	/** Called once, before anything else, with what can be asked of the service from then on. */
	onStart: (service: Service) => void
	/** Called after each glance at the node; after the first one the node is watched. */
	onSweep: () => void
}

/** A running service. */
export interface Service {
	status: () => ServiceStatus
	/** Looks at everything anew. */
	rescan: () => void
}

/** How long a look waits for a snapshot to settle before that is left to the table's next look. */
const PATIENCE_MS = 1500

/**
 * Mirrors snapshots as they are taken, until the signal. A haven that fails is told of once, tried again with growing
 * pauses, and loses nothing. Throws SnaphavenError where it can't begin: wrong usage, before anything was touched.
 */
export async function runService(parts: ServiceParts): Promise<SyncSummary> {
	const { options, signal } = parts
	const ledger = makeLedger()
	const log = makeServiceLog(options.haven, ledger, parts.tell)
	const threads = startThreads()
	const node = watchNode(parts, { log, keepOnly: ledger.keepOnly, threads })
	signal.addEventListener('abort', log.ends, { once: true })
	const ways = { patienceMs: PATIENCE_MS, onOpen: ledger.set, sweepMs: options.sweepMs }
	const opening = { options, threads, totals: log.totals, signal, ...ways }
	try {
		await keepSessions(
			(opened) =>
				withPass(opening, async (pass) => {
					log.watchHaven(() => pass.writing?.lease.unansweredMs() ?? 0)
					const glance = await node.glance(pass.signal)
					if (!glance) return
					const begun = await beginKeyspaces(pass, {
						keyspaces: glance.keyspaces,
						tables: glance.tables.map(({ location }) => location),
					})
					opened()
					await serve(begun, node, log)
				}),
			log,
			signal,
		)
	} finally {
		await node.close()
		await threads.close()
	}
	return log.totals.summary()
}

/** Looks at tables as the node asks for it, until the pass is aborted. */
async function serve(pass: Pass, node: Node, log: ServiceLog): Promise<void> {
	const desk = makeDesk(makeTableLook(pass, log), TABLES_IN_FLIGHT)
	const listening = setInterval(log.listen, LISTEN_MS)
	node.onWant(desk.want)
	desk
		.idle()
		.then(() => forgetInherited(pass))
		.catch(pass.fail)
	await Promise.all([aborted(pass.signal), wantVanished(pass, node, desk.want)])
	node.onWant(undefined)
	await desk.close()
	clearInterval(listening)
}

const LISTEN_MS = 5000

const VANISHED_EVERY_MS = 60_000

/** `--mirror-deletes`: tables that are gone from the node with all their snapshots are wanted too: no glance finds them. */
async function wantVanished(pass: Pass, node: Node, want: (location: TableLocation) => void): Promise<void> {
	while (pass.deletes && !pass.signal.aborted) {
		try {
			for (const location of await findVanishedTables(pass, node.tables())) want(location)
		} catch (error) {
			if (!pass.signal.aborted && !isOneSnapshots(error)) pass.fail(error)
		}
		await sleep(VANISHED_EVERY_MS, undefined, { signal: pass.signal }).catch(() => {})
	}
}

/** After the first look at everything, nobody goes on any more with what earlier holders had gathered. */
async function forgetInherited({ haven, writing, engine, signal }: Pass): Promise<void> {
	if (!haven || !writing || signal.aborted) return
	writing.inherited.length = 0
	await clearInherited(haven, writing.lease, engine)
}

/** The tables of the node, as the last glance found them, and who is to look at them. */
interface Node {
	/** The latest glance; undefined where the signal came before the first. */
	glance: (signal: AbortSignal) => Promise<Glance | undefined>
	/** From now on tables are to be looked at by this, beginning with all of them. */
	onWant: (want: ((location: TableLocation) => void) | undefined) => void
	/** The tables that are there. */
	tables: () => TableLocation[]
	close: () => Promise<void>
}

/** A table is looked at within this time also where nothing hints at a change: what changed in place shows then. */
const ROUND_MS = 600_000

function watchNode(
	{ options, startWatch, onStart, onSweep }: ServiceParts,
	parts: {
		log: ServiceLog
		keepOnly: (locations: TableLocation[]) => void
		threads: ReturnType<typeof startThreads>
	},
): Node {
	const { log, threads } = parts
	const first = Promise.withResolvers<void>()
	let latest: Glance | undefined
	let tables: TableLocation[] = []
	let next = 0
	let want: ((location: TableLocation) => void) | undefined
	const rescan = () => {
		watch.rescan()
		if (want) for (const location of tables) want(location)
	}
	const watch = startWatch({
		glance: () => threads.run('glanceAtTables', options.dataDirectories, options.keyspaces),
		onLook: (location) => want?.(location),
		onSweep: (glance) => {
			latest = glance
			tables = glance.tables
				.map(({ location }) => location)
				.filter(({ table }) => options.matchesTable(tableName(table)))
			log.swept(tables.length)
			parts.keepOnly(tables)
			const share = Math.ceil((tables.length * options.sweepMs) / ROUND_MS)
			for (const location of tables.slice(next, next + share)) want?.(location)
			next = next + share >= tables.length ? 0 : next + share
			first.resolve()
			onSweep()
		},
		warn: (message) => log.totals.tell({ type: 'warning', message }),
	})
	onStart({ status: log.status, rescan })
	return {
		glance: async (signal) => {
			await Promise.race([first.promise, aborted(signal)])
			return latest
		},
		onWant: (next) => {
			want = next
			if (want) for (const location of tables) want(location)
		},
		tables: () => tables,
		close: () => watch.close(),
	}
}

function aborted(signal: AbortSignal): Promise<void> {
	if (signal.aborted) return Promise.resolve()
	return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
