import { setTimeout as sleep } from 'node:timers/promises'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { SnaphavenError } from '../errors.ts'
import { checkItsPath } from '../haven/at-its-path.ts'
import type { Haven } from '../haven/haven.ts'
import { beginKeyspaces } from './beginning.ts'
import { makeDesk } from './desk.ts'
import { startThreads } from './engine.ts'
import { keepExpiring } from './expire-deleted.ts'
import { makeLedger } from './ledger.ts'
import { findVanishedTables } from './mirror-deletes.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import type { Pass } from './pass.ts'
import { clearInherited } from './recovery.ts'
import { makeServiceLog, type ServiceLog } from './service-log.ts'
import type { ServiceStatus } from './service-status.ts'
import { makeServiceTending } from './service-tending.ts'
import { withPass } from './session.ts'
import { keepSessions } from './sessions.ts'
import { makeSSTablesLook } from './sstables-look.ts'
import { SSTABLES_IN_FLIGHT, TABLES_IN_FLIGHT } from './sync.ts'
import { type Memories, makeMemories, makeTableLook } from './table-look.ts'
import type { Tending } from './tend.ts'
import type { ServiceOptions, SyncEvent, SyncSummary } from './types.ts'
import { aborted, type Node, type StartWatch, watchNode } from './watch-node.ts'

/** A running service, and what can be asked of it. */
export interface Service extends Tending {
	status: () => ServiceStatus
	/** Looks at everything anew. */
	rescan: () => void
}

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

/** How long a look waits for a snapshot to settle before that is left to the table's next look. */
const PATIENCE_MS = 1500

/**
 * Mirrors snapshots as they are taken, until the signal. A haven that fails is told of once, tried again with growing
 * pauses, and loses nothing. Throws SnaphavenError where it can't begin: wrong usage, before anything was touched.
 */
export async function runService(parts: ServiceParts): Promise<SyncSummary> {
	const { options, signal } = parts
	const ledger = makeLedger()
	const log = makeServiceLog(options, ledger, parts.tell)
	const threads = startThreads()
	// Now, not when there is work for them: by then another version may be installed in this one's place.
	threads.startAll().catch(() => {})
	const memories = makeMemories()
	const { during, ...tending } = makeServiceTending(log.totals.tell)
	const onStart: Parameters<typeof watchNode>[0]['onStart'] = ({ status, rescan }) => {
		const lookAnew = () => {
			memories.endRests()
			rescan()
		}
		parts.onStart({ status, rescan: lookAnew, ...tending })
	}
	const node = watchNode({ ...parts, onStart, log, keepOnly: ledger.keepOnly, threads })
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
						seen: node.seenFirst(),
					})
					opened()
					await during(begun, () => serve({ pass: begun, node, log, memories }))
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

interface Serving {
	pass: Pass
	node: Node
	log: ServiceLog
	memories: Memories
}

/** Looks at tables as the node asks for it, until the pass is aborted. */
async function serve({ pass, node, log, memories }: Serving): Promise<void> {
	const desk = makeDesk(makeTableLook(pass, log, memories), TABLES_IN_FLIGHT)
	const checkPath = makePathCheck(pass)
	const listening = setInterval(() => {
		log.listen()
		checkPath()
	}, LISTEN_MS)
	const { live, backups } = pass.options
	const sstables = live || backups ? makeDesk(makeSSTablesLook(pass, log, memories), SSTABLES_IN_FLIGHT) : undefined
	const keeping = keepExpiring(pass)
	node.onWant((location, what) => {
		if (what !== 'live') desk.want(location)
		if (what !== 'snapshots') sstables?.want(location)
	})
	Promise.all([desk.idle(), sstables?.idle()])
		.then(() => forgetInherited(pass, node))
		.catch(pass.fail)
	await Promise.all([aborted(pass.signal), wantVanished(pass, node, desk.want)])
	node.onWant(undefined)
	await Promise.all([desk.close(), sstables?.close(), keeping])
	clearInterval(listening)
}

const LISTEN_MS = 5000

/** Ends the pass when the haven's mount is gone, also while there is nothing to mirror. One look at a time: it may hang. */
function makePathCheck({ haven, fail }: Pass): () => void {
	let isLooking = false
	const look = async (opened: Haven) => {
		isLooking = true
		try {
			await checkItsPath(opened)
		} catch (error) {
			// What else fails may pass, and is told where it hinders.
			if (error instanceof SnaphavenError) fail(error)
		} finally {
			isLooking = false
		}
	}
	return () => {
		if (haven && !isLooking) void look(haven)
	}
}

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

/**
 * After the first look at everything, nobody goes on any more with what earlier holders had gathered; where a part of
 * the node is out of sight, it is kept for the next session.
 */
async function forgetInherited({ haven, writing, engine, signal }: Pass, node: Node): Promise<void> {
	const glance = await node.glance(signal)
	if (!haven || !writing || signal.aborted || !glance || glance.missing.length > 0) return
	writing.inherited.length = 0
	await clearInherited(haven, writing.lease, engine)
}
