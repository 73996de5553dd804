import PQueue from 'p-queue'
import { usageError } from '../errors.ts'
import { codeOf } from '../files/io.ts'
import { checkItsPath } from '../haven/at-its-path.ts'
import { claimHaven, type Haven, openExistingHaven, openHaven, openingTrouble } from '../haven/haven.ts'
import { type Lease, takeLease } from '../haven/lease.ts'
import type { PutLive } from '../haven/live-turn.ts'
import { deviceOf } from '../haven/place.ts'
import { havenTrouble } from '../haven/trouble.ts'
import type { Engine, Threads } from './engine.ts'
import { makeFactsKeeper } from './keep-facts.ts'
import type { ReadyLive } from './live-look.ts'
import { makeMarker } from './marker.ts'
import { type MirrorDeletes, makeMirrorDeletes } from './mirror-deletes.ts'
import type { Pass, Writing } from './pass.ts'
import { clearInherited, recoverInherited } from './recovery.ts'
import { makeRemover } from './remover.ts'
import { sealLiveGroup } from './seal-live-group.ts'
import { makeSealer, sealInGroups } from './sealer.ts'
import { makeSpace } from './space.ts'
import type { Totals } from './totals.ts'
import { makeTrial } from './trial.ts'
import type { SyncOptions } from './types.ts'

/** What a session is opened with. */
interface Opening {
	options: SyncOptions
	threads: Threads
	totals: Totals
	signal: AbortSignal
	/** A service's (see Pass). */
	patienceMs?: number
	onOpen?: Pass['onOpen'] & {}
	/** How far apart its two looks are at what was cleared on the node, in ms. */
	sweepMs?: number
}

/**
 * Opens the haven, takes its lease, finishes or undoes what earlier holders left, and works: all that was gathered is
 * sealed when `work` has ended, and the haven closed whatever happens. Throws SnaphavenError where the haven does not let
 * it, also in the middle, and whatever `work` throws.
 */
export async function withPass(opening: Opening, work: (pass: Pass) => Promise<void>): Promise<void> {
	const { options, threads, totals } = opening
	const sharedDevices = await findSharedDevices(options)
	if (options.hardlink) checkHardlink(options, sharedDevices, totals)
	let haven: Haven | undefined
	try {
		haven = await open(options, totals)
		const engine = await threads
			.engineFor(options.dryRun ? undefined : haven, options.limitRate)
			.catch((error: unknown) => {
				throw openingTrouble(options.haven, error)
			})
		const parts = { ...opening, engine, sharedDevices }
		if (options.dryRun) await worked(preparePass({ ...parts, haven, writing: undefined }), work)
		else if (haven) await withLease({ ...parts, haven }, work)
	} finally {
		await haven?.close()
	}
}

function open(options: SyncOptions, totals: Totals): Promise<Haven | undefined> {
	const place = {
		path: options.haven,
		dataDirectories: options.dataDirectories,
		stateDirectory: options.stateDirectory,
		newHaven: options.newHaven,
		takeOver: options.takeOver,
		requireMount: options.requireMount,
		warn: (message: string) => totals.tell({ type: 'warning', message, standing: true }),
	}
	return options.dryRun ? openExistingHaven(place) : openHaven(place)
}

type Parts = Opening & Pick<Pass, 'engine' | 'sharedDevices'>

async function withLease(
	{ haven, ...parts }: Parts & { haven: Haven },
	work: (pass: Pass) => Promise<void>,
): Promise<void> {
	const { engine, totals, signal, options } = parts
	const warn = (message: string) => totals.tell({ type: 'warning', message })
	await withWriting({ haven, engine, takeOver: options.takeOver, warn, signal }, async (writing) => {
		const pass = preparePass({ ...parts, haven, writing })
		try {
			await worked(pass, work)
			await Promise.all([writing.sealer.idle(), writing.liveSealer.idle()])
		} finally {
			await pass.facts?.close()
		}
		if (!signal.aborted) await clearInherited(haven, writing.lease, engine)
	})
}

/** What it takes to write to a haven. */
interface WritingParts {
	haven: Haven
	engine: Engine
	/** Make it this node's, where it is another's. */
	takeOver: boolean
	warn: (message: string) => void
	/** Its abort ends the waiting for a lease. */
	signal: AbortSignal
}

/** Takes the haven's lease and claims it, finishes or undoes what earlier holders left, and works; gives the lease back in any case. */
export async function withWriting(
	{ haven, engine, takeOver, warn, signal }: WritingParts,
	work: (writing: Writing) => Promise<void>,
): Promise<void> {
	try {
		const taken = await takeLease({ base: haven.base, haven: haven.path, onWait: warn, signal })
		const check = async () => {
			await checkItsPath(haven)
			await taken.check()
		}
		const lease = { ...taken, check }
		try {
			await claimHaven(haven, takeOver)
			const inherited = await recoverInherited(haven, lease, engine, warn)
			const trial = makeTrial({ haven, lease })
			const sealer = makeSealer({ haven, lease, engine, trial })
			const group = { haven, lease, engine, trial }
			const liveSealer = sealInGroups<ReadyLive, PutLive>((...args) => sealLiveGroup(group, ...args))
			const writers = { haven, lease, engine, sealer, trial }
			const writing = {
				...{ lease, sealer, liveSealer, remover: makeRemover(writers), marker: makeMarker(writers) },
				...{ space: makeSpace(haven.base), trial, inherited },
			}
			await work(writing)
		} catch (error) {
			throw await whyItFailed(lease, error)
		} finally {
			await lease.release()
		}
	} catch (error) {
		throw havenTrouble(error)
	}
}

/** Who was taken over, or whose mount is gone, finds this or that missing: that is not what happened. */
async function whyItFailed(lease: Pick<Lease, 'check'>, error: unknown): Promise<unknown> {
	try {
		await lease.check()
		return error
	} catch (lost) {
		return codeOf(lost) === undefined ? lost : error
	}
}

/** Works to the end of all that was begun, also after a failure that ends the pass: it is thrown then. */
async function worked(pass: Pass, work: (pass: Pass) => Promise<void>): Promise<void> {
	await work(pass)
	if (pass.failed.aborted) throw pass.failed.reason
}

function preparePass({ threads: _, sweepMs, ...parts }: Parts & Pick<Pass, 'haven' | 'writing'>): Pass {
	const { engine, haven, totals } = parts
	let number = 0
	if (haven && !haven.record.capabilities.hardLinks) {
		totals.tell({
			type: 'warning',
			standing: true,
			message: `the haven ${haven.path} cannot hard-link: each snapshot takes its full size there`,
		})
	}
	const stopper = new AbortController()
	const signal = AbortSignal.any([parts.signal, stopper.signal])
	const fail = (error: unknown) => stopper.abort(error)
	return {
		...parts,
		signal,
		stopped: flagOf(signal),
		fail,
		failed: stopper.signal,
		looks: new PQueue({ concurrency: LOOKS_IN_FLIGHT }),
		queue: new PQueue({ concurrency: engine.slices }),
		umask: currentUmask(),
		nextNumber: () => number++,
		busy: { count: 0 },
		leftAlone: () => false,
		pruned: new Map(),
		deletes: makeDeletes(parts.options, sweepMs),
		facts: haven && parts.writing && makeFactsKeeper({ ...parts, haven, writing: parts.writing, signal }),
	}
}

/** Each keeps a folder of every data directory open, and there may be a dozen of those. */
const LOOKS_IN_FLIGHT = 32

/** Not 0 once the signal is aborted, in every thread. */
function flagOf(signal: AbortSignal): Int32Array {
	const flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
	const raise = () => Atomics.store(flag, 0, 1)
	if (signal.aborted) raise()
	else signal.addEventListener('abort', raise, { once: true })
	return flag
}

/** Between two looks of a service lies a sweep; the second look of a pass is its last act. */
function makeDeletes({ mirrorDeletes }: SyncOptions, apartMs = LOOKS_APART_MS): MirrorDeletes | undefined {
	return mirrorDeletes && makeMirrorDeletes({ ...mirrorDeletes, apartMs })
}

const LOOKS_APART_MS = 1000

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
	totals.tell({ type: 'warning', message, standing: true })
}

/** Reading it means setting it; nothing else runs meanwhile that makes a file. */
function currentUmask(): number {
	const mask = process.umask(0o077)
	process.umask(mask)
	return mask
}
