import { setTimeout as sleep } from 'node:timers/promises'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import type { Published } from '../haven/publish.ts'
import { type Attempt, attempt } from './attempt.ts'
import { FlushFailedMeanwhile, OTHERS_FAILURES_MAX } from './flush-haven.ts'
import type { Gathered } from './gather-order.ts'
import type { SnapshotLook } from './look.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { judged, type OpenSnapshot, type Pass, whileBusy } from './pass.ts'
import { restFor } from './retry.ts'
import type { Sealer } from './sealer.ts'
import type { SnapshotName } from './types.ts'
import { isHopeless, isWorthTelling, pauseFor, whatFor } from './waiting.ts'

/** A snapshot's way to the haven. */
interface SnapshotTask {
	/** Resolves when it is sealed, or when it is done with or waits for something; the table's next one can go. */
	firstTry: Promise<'sealed' | 'not sealed'>
	/** Resolves when it is done with, sealed or not. Never rejects. */
	ended: Promise<Ending>
}

/** What has become of a snapshot. */
interface Ending {
	/** It was sealed now, or is gone from the node now. */
	done: boolean
	/** What is left to be done later. */
	left: OpenSnapshot | undefined
}

/** Starts to mirror a snapshot: gathers it, waiting until it is settled, seals it, and in move mode deletes the source. */
export function mirrorSnapshot(
	pass: Pass,
	location: TableLocation,
	look: SnapshotLook,
	before: Pick<Attempt, 'reuseTags' | 'filesBefore'>,
): SnapshotTask {
	const first = Promise.withResolvers<'sealed' | 'not sealed'>()
	const task: Task = {
		pass,
		location,
		look,
		...before,
		name: { keyspace: location.keyspace, table: location.table, tag: look.tag },
		startMs: Date.now(),
		waiting: first.resolve,
		spentMs: 0,
		ending: { done: false, left: undefined },
	}
	const ended = run(task).then(
		(sealed) => {
			first.resolve(sealed ? 'sealed' : 'not sealed')
			return task.ending
		},
		async (failed: unknown) => {
			const error = await judged(pass, failed)
			first.resolve('not sealed')
			if (pass.signal.aborted) return task.ending
			if (isOneSnapshots(error)) fail(task, explain(error))
			else pass.fail(error)
			return task.ending
		},
	)
	return { firstTry: first.promise, ended: ended.finally(() => pass.totals.finished()) }
}

interface Task extends Attempt {
	name: SnapshotName
	startMs: number
	/** It has to be waited for. */
	waiting: (state: 'not sealed') => void
	ending: Ending
}

function fail(task: Task, reason: string): void {
	const { pass, name, look } = task
	const rest = { untilMs: steadyMs() + restFor(task.spentMs), identity: look.identity }
	task.ending.left = { tag: name.tag, sinceMs: look.changedMs, state: 'failing', reason, rest }
	pass.totals.tell({ type: 'failed', snapshot: name, reason })
}

async function run(task: Task): Promise<boolean> {
	const { pass, look, name } = task
	const { totals, options, writing } = pass
	if (look.haven === 'this') {
		totals.unchanged(name, look.state)
		await removeFromNode(task)
		return true
	}
	const gathered = await gather(task)
	if (gathered === 'already sealed' && options.move && writing) await removeFromNode(task)
	if (gathered === 'already sealed') return true
	if (!gathered || !writing) return false
	const sealed = await seal(task, writing.sealer, gathered)
	if (!sealed) return false
	tellSealed(task, sealed)
	if (options.move) await removeFromNode(task)
	return true
}

/**
 * What a group that could not be made durable held is gathered anew, once, and sealed alone: a file is never flushed
 * again after a failure, and it may be one snapshot's that failed all. More often only where others' flushes fail
 * meanwhile.
 */
async function seal(task: Task, sealer: Sealer, first: Gathered): Promise<Sealed | undefined> {
	let gathered = first
	let others = OTHERS_FAILURES_MAX
	for (let how: 'in a group' | 'alone' = 'in a group'; ; ) {
		try {
			return { gathered, published: await sealer.seal(gathered, how) }
		} catch (error) {
			if (task.pass.signal.aborted || !isOneSnapshots(error)) throw error
			if (error instanceof FlushFailedMeanwhile && others > 0) others -= 1
			else if (how === 'alone') throw error
			else how = 'alone'
		}
		const again = await gather(task)
		if (!again || again === 'already sealed') return undefined
		gathered = again
	}
}

interface Sealed {
	gathered: Gathered
	published: Published
}

function tellSealed({ pass: { totals, facts }, look, name, ending }: Task, { gathered, published }: Sealed): void {
	ending.done = true
	facts?.sealed(name.tag, look.changedMs)
	const { state, damage, amounts, leftOut } = gathered
	for (const { path, kind } of leftOut) {
		const where = `${name.keyspace}.${name.table} ${JSON.stringify(name.tag)}`
		totals.tell({ type: 'warning', message: `${path} of ${where} is a ${kind}: it is left out` })
	}
	if (published.setAside !== undefined) {
		const message = `a folder that no receipt knows stood in the place of ${name.keyspace}.${name.table} ${name.tag}: it is now ${published.setAside}`
		totals.tell({ type: 'warning', message })
	}
	totals.tell({ type: 'sealed', snapshot: name, state, damage, replaced: published.replaced, ...amounts })
}

async function removeFromNode(task: Task): Promise<void> {
	const { pass, location, name, look } = task
	const remove = () => pass.engine.run('removeSource', pass.haven?.base ?? '', location, name.tag)
	let removal = await remove()
	if ('unmarked' in removal && (await pass.writing?.marker.mark({ key: name, receiptId: removal.unmarked })))
		removal = await remove()
	if (removal.removed) {
		task.ending.done = true
		pass.totals.tell({ type: 'moved', snapshot: name })
	} else if ('failed' in removal) {
		const what = `${name.keyspace}.${name.table} ${JSON.stringify(name.tag)}`
		const message = `${what} is sealed, but could not be deleted on the node: ${removal.reason}`
		task.ending.left = { tag: name.tag, sinceMs: look.changedMs, state: 'failing', reason: message }
		pass.totals.tell({ type: 'trouble', message, snapshot: name })
	} else {
		const { reason } = removal
		const untilMs = 'untilMs' in removal ? removal.untilMs : undefined
		if (untilMs !== undefined) {
			task.ending.left = { tag: name.tag, sinceMs: look.changedMs, state: 'waiting', reason, untilMs }
		}
		pass.totals.tell({ type: 'kept', snapshot: name, reason })
	}
}

/** Tries until the snapshot is gathered, or will not be. */
async function gather(task: Task): Promise<Gathered | 'already sealed' | undefined> {
	const { pass, name, look } = task
	const waited = { sinceMs: task.startMs, settleMs: pass.options.settleMs }
	let told = false
	for (;;) {
		pass.signal.throwIfAborted()
		const answer = await whileBusy(pass, () => attempt(task))
		if (answer.answer === 'gathered') return answer
		if (answer.answer === 'unchanged') {
			pass.totals.unchanged(name, look.state)
			return 'already sealed'
		}
		if (answer.answer === 'planned') return undefined
		const verdict = answer.answer === 'gone' ? GONE : answer.verdict
		if (verdict.verdict === 'left out') {
			pass.totals.tell({ type: 'skipped', snapshot: name, reason: verdict.reason })
			return undefined
		}
		const { patienceMs } = pass
		if (verdict.verdict === 'broken' || (patienceMs === undefined && isHopeless(verdict, waited))) {
			fail(task, `it is not settled: ${verdict.reason}`)
			return undefined
		}
		task.waiting('not sealed')
		if (patienceMs !== undefined && Date.now() + pauseFor(verdict) > task.startMs + patienceMs) {
			const { reason, untilMs } = verdict
			task.ending.left = { tag: name.tag, sinceMs: look.changedMs, state: 'waiting', reason, untilMs }
			if (Date.now() >= look.changedMs + LONG_MS) pass.totals.tell({ type: 'waiting', snapshot: name, reason })
			return undefined
		}
		if (!told && patienceMs === undefined && isWorthTelling(verdict, waited)) {
			told = true
			pass.totals.tell({ type: 'waiting', snapshot: name, reason: whatFor(verdict, waited) })
			if (!pass.writing) return undefined
		}
		await sleep(pauseFor(verdict), undefined, { signal: pass.signal })
	}
}

/** A service tells what it has waited for so long. */
const LONG_MS = 60_000

const GONE = { verdict: 'left out', reason: 'it was cleared on the node meanwhile' } as const
