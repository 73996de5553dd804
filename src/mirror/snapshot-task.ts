import { setTimeout as sleep } from 'node:timers/promises'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { SnaphavenError } from '../errors.ts'
import { codeOf } from '../files/io.ts'
import type { Published } from '../haven/publish.ts'
import { type Attempt, attempt } from './attempt.ts'
import type { Gathered } from './gather-order.ts'
import type { SnapshotLook } from './look.ts'
import { type Pass, whileBusy } from './pass.ts'
import type { Sealer } from './sealer.ts'
import type { SnapshotName } from './types.ts'
import { isHopeless, isWorthTelling, pauseFor, whatFor } from './waiting.ts'

/** A snapshot's way to the haven. */
interface SnapshotTask {
	/** Resolves when it is sealed, or when it is done with or waits for something; the table's next one can go. */
	firstTry: Promise<'sealed' | 'not sealed'>
	/** Resolves when it is done with, sealed or not. Never rejects. */
	ended: Promise<void>
}

/** Starts to mirror a snapshot: gathers it, waiting until it is settled, seals it, and in move mode deletes the source. */
export function mirrorSnapshot(
	pass: Pass,
	location: TableLocation,
	look: SnapshotLook,
	reuseTags: string[],
): SnapshotTask {
	const first = Promise.withResolvers<'sealed' | 'not sealed'>()
	const task: Task = {
		pass,
		location,
		look,
		reuseTags,
		name: { keyspace: location.keyspace, table: location.table, tag: look.tag },
		startMs: Date.now(),
		waiting: first.resolve,
	}
	const ended = run(task).then(
		(sealed) => {
			first.resolve(sealed ? 'sealed' : 'not sealed')
		},
		(error: unknown) => {
			first.resolve('not sealed')
			if (pass.signal.aborted) return
			if (!isOneSnapshots(error)) return pass.fail(error)
			pass.totals.tell({ type: 'failed', snapshot: task.name, reason: explain(error) })
		},
	)
	return { firstTry: first.promise, ended: ended.finally(() => pass.totals.finished()) }
}

interface Task extends Attempt {
	name: SnapshotName
	startMs: number
	/** It has to be waited for. */
	waiting: (state: 'not sealed') => void
}

/** A failure of the haven as a whole, or a defect of ours, ends the pass: it is no single snapshot's. */
function isOneSnapshots(error: unknown): error is Error {
	return error instanceof SnaphavenError ? !error.ofHaven && error.exitCode === 1 : codeOf(error) !== undefined
}

function explain(error: Error): string {
	return error instanceof SnaphavenError && error.hint ? `${error.message}. ${error.hint}` : error.message
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

/** What a group that could not be made durable held is gathered anew, once: a file is never flushed again after a failure. */
async function seal(task: Task, sealer: Sealer, gathered: Gathered): Promise<Sealed | undefined> {
	try {
		return { gathered, published: await sealer.seal(gathered) }
	} catch (error) {
		if (task.pass.signal.aborted || !isOneSnapshots(error)) throw error
		const again = await gather(task)
		return again && again !== 'already sealed' ? { gathered: again, published: await sealer.seal(again) } : undefined
	}
}

interface Sealed {
	gathered: Gathered
	published: Published
}

function tellSealed({ pass: { totals }, name }: Task, { gathered, published }: Sealed): void {
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

async function removeFromNode({ pass, location, name }: Task): Promise<void> {
	const remove = () => pass.engine.run('removeSource', pass.haven?.base ?? '', location, name.tag)
	let removal = await remove()
	if ('unmarked' in removal && (await pass.writing?.marker.mark({ key: name, receiptId: removal.unmarked })))
		removal = await remove()
	if (removal.removed) pass.totals.tell({ type: 'moved', snapshot: name })
	else if ('failed' in removal) {
		const what = `${name.keyspace}.${name.table} ${JSON.stringify(name.tag)}`
		pass.totals.tell({
			type: 'trouble',
			message: `${what} is sealed, but could not be deleted on the node: ${removal.reason}`,
		})
	} else pass.totals.tell({ type: 'kept', snapshot: name, reason: removal.reason })
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
		if (verdict.verdict === 'broken' || isHopeless(verdict, waited)) {
			pass.totals.tell({ type: 'failed', snapshot: name, reason: `it is not settled: ${verdict.reason}` })
			return undefined
		}
		task.waiting('not sealed')
		if (!told && isWorthTelling(verdict, waited)) {
			told = true
			pass.totals.tell({ type: 'waiting', snapshot: name, reason: whatFor(verdict, waited) })
			if (!pass.writing) return undefined
		}
		await sleep(pauseFor(verdict), undefined, { signal: pass.signal })
	}
}

const GONE = { verdict: 'left out', reason: 'it was cleared on the node meanwhile' } as const
