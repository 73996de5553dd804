import type PQueue from 'p-queue'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { isLongerThan } from '../files/folders.ts'
import type { Haven } from '../haven/haven.ts'
import type { Lease } from '../haven/lease.ts'
import type { PutLive } from '../haven/live-turn.ts'
import type { Inherited } from '../haven/progress.ts'
import type { Engine } from './engine.ts'
import type { FactsKeeper } from './keep-facts.ts'
import type { ReadyLive } from './live-look.ts'
import type { SnapshotLook, TableLook } from './look.ts'
import type { Marker } from './marker.ts'
import { type MirrorDeletes, removeCleared } from './mirror-deletes.ts'
import { prunedIdentity, prunedKey } from './pruned-key.ts'
import type { Remover } from './remover.ts'
import type { Sealer } from './sealer.ts'
import { mirrorSnapshot } from './snapshot-task.ts'
import type { Space } from './space.ts'
import type { Totals } from './totals.ts'
import type { Trial } from './trial.ts'
import type { SyncOptions } from './types.ts'

/** What a pass works with. */
export interface Pass {
	options: SyncOptions
	/** Undefined where there is no haven yet (`--dry-run`). */
	haven: Haven | undefined
	/** Undefined in a dry run, which writes nothing. */
	writing: Writing | undefined
	engine: Engine
	/** Carries looks at tables, which keep their folders open meanwhile. */
	looks: PQueue
	/** Carries slices: a small snapshot, or a part of a large one. */
	queue: PQueue
	totals: Totals
	signal: AbortSignal
	/** Not 0 once the signal is aborted; shared with the threads, which see it in the middle of a file. */
	stopped: Int32Array
	/** Ends the pass after a failure that concerns all of it, which is thrown when what was begun has ended. */
	fail: (error: unknown) => void
	/** Aborted, with the failure as its reason, once there was one. */
	failed: AbortSignal
	/** Devices (st_dev) of data directories that the haven is on too. */
	sharedDevices: bigint[]
	/** See umask(2). */
	umask: number
	/** Numbers what is gathered. */
	nextNumber: () => number
	/** Looks and gathering under way (see whileBusy). */
	busy: { count: number }
	/** Snapshots that were on the node when their keyspace was first kept, and are not asked for. */
	leftAlone: (table: { keyspace: string; table: string }, snapshot: SnapshotLook) => boolean
	/** Snapshots that were pruned from the haven and are on the node still: their folders' identity, by prunedKey. */
	pruned: Map<string, string>
	/** `--mirror-deletes`: what is remembered between two looks of what was cleared on the node. */
	deletes: MirrorDeletes | undefined
	/** Keeps the node's facts with each new tag; undefined where nothing is written. */
	facts: FactsKeeper | undefined
	/**
	 * How long one look waits for a snapshot to settle, in ms; what is not settled by then is left to a later look, for
	 * ever. Undefined where there is one look only: it waits until nothing is expected any more.
	 */
	patienceMs?: number
	/** Told of what a look found to be done, and then of what it left. */
	onOpen?: (location: TableLocation, open: OpenSnapshot[]) => void
	/** Called when a look goes on in slices of a large snapshot, which may take hours. */
	onSlices?: () => void
	/** What is to be left as an earlier look has left it (see retry.ts). */
	resting?: (snapshot: SnapshotLook) => OpenSnapshot | undefined
}

/** A snapshot that is not sealed yet, or (`--move-snapshots`) not yet gone from the node. */
export interface OpenSnapshot {
	tag: string
	/** When it was taken, as far as its folders tell: ms since the epoch. */
	sinceMs: number
	state: 'at work' | 'waiting' | 'failing'
	/** What it waits for, or why it failed. */
	reason?: string
	/** When a look may find it settled, ms since the epoch. */
	untilMs?: number
	/** Failing: it is left alone until then, by the steady clock in ms, as long as its folders are these (see SnapshotLook). */
	rest?: { untilMs: number; identity: string[] }
}

/** What a look at a table came to. */
export interface TableOutcome {
	/** Snapshots that were sealed, or are gone from the node now. */
	done: number
	/** What is left for a later look. */
	open: OpenSnapshot[]
	/** `--mirror-deletes`: in how many ms to look again at what was cleared; undefined where nothing waits for that. */
	clearedAgainInMs: number | undefined
}

/** What it takes to write to the haven. */
export interface Writing {
	lease: Lease
	sealer: Sealer
	/** Of live sets (`--sync-sstables`). */
	liveSealer: Sealer<ReadyLive, PutLive>
	remover: Remover
	marker: Marker
	space: Space
	trial: Trial
	/** What an earlier run had gathered of large snapshots. */
	inherited: Inherited[]
}

/** Looks at a table and mirrors what the haven does not have, the oldest snapshot first, so that later ones can share. */
export async function mirrorTable(pass: Pass, location: TableLocation): Promise<TableOutcome> {
	const { options, totals, engine } = pass
	const look = await whileBusy(pass, () =>
		pass.looks.add(() => {
			pass.signal.throwIfAborted()
			return engine.run('lookAtTable', pass.haven?.base, location)
		}),
	)
	for (const { path, reason } of look.badReceipts) {
		totals.tell({ type: 'trouble', message: `the receipt ${path} does not count: ${reason}` })
	}
	const { keyspace, table } = location
	for (const { dataDirectory, tag } of look.links.filter((link) => options.matchesTag(link.tag))) {
		const message = `${keyspace}.${table} ${JSON.stringify(tag)} is a symbolic link in ${dataDirectory}: it is left out`
		totals.tell({ type: 'warning', message, standing: true })
	}
	const wanted = look.snapshots.filter(({ tag }) => options.matchesTag(tag))
	const todo: SnapshotLook[] = []
	const resting: OpenSnapshot[] = []
	for (const snapshot of wanted) {
		if (snapshot.haven === 'nothing' && isPruned(pass, location, snapshot)) continue
		if (snapshot.haven === 'nothing' && pass.leftAlone(location, snapshot)) totals.leftAlone()
		else if (!needsWork(pass, snapshot)) totals.unchanged({ keyspace, table, tag: snapshot.tag }, snapshot.state)
		else {
			const rests = pass.resting?.(snapshot)
			if (rests) resting.push(rests)
			else todo.push(snapshot)
		}
	}
	const clashes = nameClashes(pass, look, wanted)
	totals.expect(todo.length)
	const open = (snapshot: SnapshotLook): OpenSnapshot => ({
		tag: snapshot.tag,
		sinceMs: snapshot.changedMs,
		state: 'at work',
	})
	pass.onOpen?.(location, [...resting, ...todo.map(open)])
	const ended: ReturnType<typeof mirrorSnapshot>['ended'][] = []
	const latestFirst = look.sealed.map(({ tag }) => tag)
	for (const snapshot of todo) {
		const reason = clashes.get(snapshot.tag)
		if (reason === undefined) {
			const filesBefore = look.sealed[0]?.fileCount ?? 0
			const before = { reuseTags: reuseTags(look, snapshot, latestFirst), filesBefore }
			const task = mirrorSnapshot(pass, location, snapshot, before)
			ended.push(task.ended)
			if ((await task.firstTry) === 'sealed') latestFirst.unshift(snapshot.tag)
		} else {
			totals.tell({ type: 'failed', snapshot: { keyspace, table, tag: snapshot.tag }, reason })
			totals.finished()
			ended.push(Promise.resolve({ done: false, left: { ...open(snapshot), state: 'failing', reason } }))
		}
	}
	const endings = await Promise.all(ended)
	const left = [...resting, ...endings.flatMap((one) => one.left ?? [])]
	pass.onOpen?.(location, left)
	const done = endings.filter((one) => one.done).length
	return { done, open: left, clearedAgainInMs: await removeCleared(pass, location) }
}

/** A failure as it is to be told: of the haven as a whole only where the haven itself does not work. */
export async function judged({ signal, writing }: Pass, error: unknown): Promise<unknown> {
	return signal.aborted || !writing ? error : await writing.trial.judge(error)
}

/** Counts work that may add to the group that is being filled; when none is left, the group is sealed at once. */
export async function whileBusy<T>({ busy, writing }: Pass, work: () => Promise<T>): Promise<T> {
	busy.count += 1
	try {
		return await work()
	} finally {
		busy.count -= 1
		// After those that wait for this result have begun what they do with it.
		setImmediate(() => {
			if (busy.count > 0) return
			writing?.sealer.hurry()
			writing?.liveSealer.hurry()
		})
	}
}

/** Another one of that tag is not. */
function isPruned({ pruned }: Pass, { keyspace, table }: TableLocation, snapshot: SnapshotLook): boolean {
	return pruned.get(prunedKey({ keyspace, table, tag: snapshot.tag })) === prunedIdentity(snapshot)
}

/** Whether there is anything to do: not for what is sealed and unchanged, unless it is still to be deleted on the node. */
function needsWork({ options }: Pass, { haven, state }: SnapshotLook): boolean {
	return haven !== 'this' || (options.move && !options.dryRun && state === 'whole')
}

/** How many receipts are looked into for files that the haven has: SSTables live from one snapshot to the next. */
const REUSE_FROM = 2

/** The tags sealed last, and those taken nearest to it. */
function reuseTags({ sealed }: TableLook, { tag, changedMs, haven }: SnapshotLook, latestFirst: string[]): string[] {
	const before = sealed.filter(({ takenMs }) => takenMs <= changedMs).slice(0, REUSE_FROM)
	const after = sealed.filter(({ takenMs }) => takenMs > changedMs).slice(-1)
	const tags = new Set([...latestFirst.slice(0, REUSE_FROM), ...[...before, ...after].map((one) => one.tag)])
	tags.delete(tag)
	return haven === 'nothing' ? [...tags] : [...tags, tag]
}

/** Tags that the haven could not tell from another, or cannot hold, and why. */
function nameClashes({ haven }: Pass, look: TableLook, wanted: SnapshotLook[]): Map<string, string> {
	const clashes = new Map<string, string>()
	if (!haven) return clashes
	const { caseSensitive, anySign, anyBytes, nameBytesMax } = haven.record.capabilities
	const byCase = new Map<string, string>()
	for (const tag of [...look.sealed.map((one) => one.tag), ...wanted.map((one) => one.tag)]) {
		if (!anyBytes && !tag.isWellFormed()) clashes.set(tag, 'the haven’s file system takes no names that are not UTF-8')
		if (!anySign && /[:*?"<>|\\]|[ .]$/.test(tag))
			clashes.set(tag, 'the haven’s file system takes no such signs in names')
		if (isLongerThan(tag, nameBytesMax))
			clashes.set(tag, `the haven’s file system takes no names of more than ${nameBytesMax} bytes`)
		if (caseSensitive) continue
		const same = byCase.get(tag.toLowerCase())
		if (same !== undefined && same !== tag) {
			clashes.set(tag, `the haven’s file system can’t tell it from the tag ${JSON.stringify(same)}`)
		} else byCase.set(tag.toLowerCase(), tag)
	}
	return clashes
}
