import PQueue from 'p-queue'
import { steadyMs } from '../files/builtins.ts'
import { codeOf, runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import { receiptPath, type SnapshotKey } from '../haven/layout.ts'
import { openForReading } from '../haven/open-for-reading.ts'
import { readHeads } from '../haven/read-heads.ts'
import { havenTrouble, onHaven } from '../haven/trouble.ts'
import { readVerified, type VerifiedDates, writeVerified } from '../haven/verified.ts'
import { chooseToVerify } from './choose-to-verify.ts'
import { startThreads, type Threads } from './engine.ts'
import { type Catalog, readCatalog } from './read-catalog.ts'
import { type TableVerified, type Verification, verifyTable } from './verify-table.ts'
import type { VerifyEvent, VerifyOptions, VerifySummary } from './verify-types.ts'

/**
 * Reads every byte of sealed snapshots and holds it against their receipts and against Cassandra's own digests. Writes
 * nothing but the dates of what it found good. An abort ends it soon, with a summary of what was done by then.
 */
export async function verifyHaven(
	options: VerifyOptions,
	tell: (event: VerifyEvent) => void,
	signal: AbortSignal,
): Promise<VerifySummary> {
	const haven = await openForReading(options.haven, options.stateDirectory)
	const threads = startThreads()
	try {
		return await verifyOpened(haven, threads, options, tell, signal)
	} catch (error) {
		throw havenTrouble(error)
	} finally {
		await threads.close()
		await haven.close()
	}
}

async function verifyOpened(
	haven: Haven,
	threads: Threads,
	options: VerifyOptions,
	tell: (event: VerifyEvent) => void,
	signal: AbortSignal,
): Promise<VerifySummary> {
	const { base } = haven
	const engine = await threads.engineForReading(haven)
	const catalog = await readCatalog(base, options.selection)
	const dates = await runAsync(onHaven(readVerified(base)))
	const { sealed, bad } = await readBadAgain(base, catalog)
	const chosen = chooseToVerify(sealed, dates, options, Date.now())
	const sums = makeSums(chosen.length, tell)
	sums.summary.notChosen = sealed.length - chosen.length
	tellUnread({ bad, inDoubt: catalog.inDoubt }, sums.summary, tell)
	const work: Verification = {
		base,
		engine,
		queue: new PQueue({ concurrency: engine.slices }),
		grainNs: options.quick ? haven.record.capabilities.mtimeGrainNs : undefined,
		quick: options.quick,
		dataDirectories: options.dataDirectories,
		signal,
		tell,
		onRead: sums.onRead,
	}
	await eachTable(chosen, engine.slices, signal, async (keys) => sums.add(await verifyTable(work, keys)))
	sums.summary.isComplete = !signal.aborted
	if (!options.quick) {
		const known = options.selection.isAll ? sealed.map(({ id }) => id) : undefined
		await remember(base, { before: dates, proven: sums.proven, known }, tell)
	}
	return sums.summary
}

/** Snapshots of one table that are looked at together: more of them share files, and need more memory. */
const SNAPSHOTS_TOGETHER_MAX = 1000

/** As many tables at a time as there are slices: one is looked at while another one is read. */
async function eachTable(
	keys: SnapshotKey[],
	width: number,
	signal: AbortSignal,
	verify: (keys: SnapshotKey[]) => Promise<void>,
): Promise<void> {
	const tables = [...Map.groupBy(keys, ({ keyspace, table }) => `${keyspace}/${table}`).values()]
	const queue = new PQueue({ concurrency: width })
	const failure = new AbortController()
	const one = async (some: SnapshotKey[]) => {
		if (signal.aborted || failure.signal.aborted) return
		try {
			await verify(some)
		} catch (error) {
			if (!signal.aborted) failure.abort(error)
		}
	}
	await queue.addAll(tables.flatMap(inParts).map((some) => () => one(some)))
	if (failure.signal.aborted) throw failure.signal.reason
}

function inParts(keys: SnapshotKey[]): SnapshotKey[][] {
	const parts: SnapshotKey[][] = []
	for (let at = 0; at < keys.length; at += SNAPSHOTS_TOGETHER_MAX) {
		parts.push(
			keys.slice(at, at + SNAPSHOTS_TOGETHER_MAX).map(({ keyspace, table, tag }) => ({ keyspace, table, tag })),
		)
	}
	return parts
}

/** A receipt that seems damaged may have been replaced meanwhile, or be in doubt. */
async function readBadAgain(base: string, { sealed, bad, inDoubt }: Catalog): Promise<Pick<Catalog, 'sealed' | 'bad'>> {
	if (bad.length === 0) return { sealed, bad }
	const doubts = new Set(inDoubt.map(receiptPath))
	const paths = bad.map(({ path }) => path).filter((path) => !doubts.has(path))
	const again = await runAsync(onHaven(readHeads(base, paths, RECEIPTS_IN_FLIGHT)))
	return {
		sealed: [...sealed, ...again.flatMap((read) => (read && 'head' in read ? [read.head] : []))],
		bad: again.flatMap((read) => (read && 'bad' in read ? [read.bad] : [])),
	}
}

const RECEIPTS_IN_FLIGHT = 16

/** Tells what can't be verified, since nothing of it can be believed. */
function tellUnread(
	{ bad, inDoubt }: Pick<Catalog, 'bad' | 'inDoubt'>,
	summary: VerifySummary,
	tell: (event: VerifyEvent) => void,
): void {
	for (const { path, reason } of bad) {
		const none = { snapshots: [], good: [], targets: [] }
		tell({ type: 'damage', damage: { kind: 'receipt', reason, atSource: false, paths: [path], ...none } })
	}
	for (const snapshot of inDoubt) {
		const reason = 'it is being sealed or removed, or a run was killed meanwhile'
		tell({ type: 'left out', snapshot, reason })
	}
	summary.damages += bad.length
	summary.damaged += bad.length
	summary.leftOut += inDoubt.length
}

/** Progress is told no more often. */
const PROGRESS_MS = 100

function makeSums(total: number, tell: (event: VerifyEvent) => void) {
	const counts = { snapshots: 0, damaged: 0, damages: 0, atSource: 0, files: 0, bytes: 0 }
	const summary: VerifySummary = { ...counts, notChosen: 0, leftOut: 0, extra: 0, isComplete: false }
	const proven: string[] = []
	let toldAt = Number.NEGATIVE_INFINITY
	const progress = () => {
		const now = steadyMs()
		if (now - toldAt < PROGRESS_MS) return
		toldAt = now
		const snapshots = { done: summary.snapshots, total }
		tell({ type: 'progress', snapshots, files: summary.files, bytes: summary.bytes })
	}
	return {
		summary,
		proven,
		onRead: ({ files, bytes }: { files: number; bytes: number }) => {
			summary.files += files
			summary.bytes += bytes
			progress()
		},
		add: (table: TableVerified) => {
			summary.snapshots += table.snapshots
			summary.damaged += table.damaged
			summary.damages += table.damages.filter(({ atSource }) => !atSource).length
			summary.atSource += table.damages.filter(({ atSource }) => atSource).length
			summary.extra += table.extra
			summary.leftOut += table.leftOut
			proven.push(...table.proven)
			progress()
		},
	}
}

interface Remembered {
	before: VerifiedDates
	/** Ids of the receipts that were proven just now. */
	proven: string[]
	/** The ids of all receipts there are, where that is known: others are forgotten. */
	known: string[] | undefined
}

/** What another verification wrote meanwhile is kept. */
async function remember(
	base: string,
	{ before, proven, known }: Remembered,
	tell: (event: VerifyEvent) => void,
): Promise<void> {
	if (proven.length === 0) return
	const now = new Date().toISOString()
	try {
		const dates = new Map([
			...before,
			...(await runAsync(readVerified(base))),
			...proven.map((id) => [id, now] as const),
		])
		const there = known && new Set(known)
		const kept = there ? new Map([...dates].filter(([id]) => there.has(id))) : dates
		await runAsync(writeVerified(base, kept))
	} catch (error) {
		const code = codeOf(error)
		if (code === undefined) throw error
		tell({ type: 'warning', message: `what was verified when can’t be noted down in the haven (${code})` })
	}
}
