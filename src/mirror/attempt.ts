import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import { gatherInSlices } from './gather-in-slices.ts'
import { type GatherAnswer, type Gathered, type GatherOrder, keyOf } from './gather-order.ts'
import type { SnapshotLook } from './look.ts'
import type { Pass } from './pass.ts'
import { amountsOf } from './plan.ts'
import { SLICE_BYTES_MAX, slicesAbout } from './slices.ts'

/** A snapshot that is to be gathered now. */
export interface Attempt {
	pass: Pass
	location: TableLocation
	look: SnapshotLook
	/** Tags whose receipts are looked into for files that the haven has. */
	reuseTags: string[]
	/** Files of the table's last snapshot that is sealed: about as many as this one has. 0 where there is none. */
	filesBefore: number
	/** How long it has been copied so far, in vain or not, in ms. */
	spentMs: number
}

/** Tries once: small snapshots go as one task of the queue, large ones slice by slice. */
export async function attempt(task: Attempt): Promise<GatherAnswer> {
	const { pass, location, look } = task
	const { writing } = pass
	const order = orderFor(pass, location, {
		tag: look.tag,
		reuseTags: task.reuseTags,
		isSealed: look.haven !== 'nothing',
	})
	const answer = await enqueue(pass, slicesAbout(task.filesBefore), () => gatherOrPlan(task, order))
	if (answer.answer === 'gathered') note(pass, answer)
	if (answer.answer !== 'planned') return answer
	if (writing) {
		pass.onSlices?.()
		return await gatherInSlices({ pass, writing, order, plan: answer.plan, onSpent: (ms) => (task.spentMs += ms) })
	}
	pass.totals.tell({
		type: 'planned',
		snapshot: keyOf(order),
		replaced: order.isSealed,
		...amountsOf(answer.plan.transfers.map(({ how, file }) => ({ how, size: file.size }))),
	})
	return answer
}

/** What it takes to gather one snapshot, or a live set, of a table; under a number of its own. */
export function orderFor(
	pass: Pass,
	location: TableLocation,
	one: Pick<GatherOrder, 'tag' | 'reuseTags' | 'isSealed'>,
): GatherOrder {
	const { writing, haven, options, engine } = pass
	return {
		...one,
		base: haven?.base,
		path: options.haven,
		partial: writing?.lease.partial ?? '',
		number: pass.nextNumber(),
		location,
		settleMs: options.settleMs,
		hardlink: options.hardlink,
		move: options.move,
		canLink: haven?.record.capabilities.hardLinks ?? true,
		canReflink: haven?.record.capabilities.reflinks ?? false,
		sharedDevices: pass.sharedDevices,
		flushFailures: haven?.flushFailures() ?? 0,
		flushEach: haven?.flushWay === 'each file',
		umask: pass.umask,
		width: engine.width,
		stopped: pass.stopped,
		budget: 0,
	}
}

/** Sets space aside only now, for the task's own time: what waits in the queue must not make the haven seem full. */
async function gatherOrPlan(task: Attempt, order: GatherOrder): Promise<GatherAnswer> {
	const { engine, writing } = task.pass
	if (!(await writing?.space.reserve(SLICE_BYTES_MAX))) return await engine.run('gatherSnapshot', order)
	const beganMs = steadyMs()
	try {
		return await engine.run('gatherSnapshot', { ...order, budget: SLICE_BYTES_MAX })
	} finally {
		task.spentMs += steadyMs() - beganMs
		writing?.space.release(SLICE_BYTES_MAX)
	}
}

function note({ totals }: Pass, { amounts }: Gathered): void {
	const all = Object.values(amounts)
	const amount = {
		files: all.reduce((sum, { files }) => sum + files, 0),
		bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
	}
	totals.measured(amount)
	totals.arrived(amount)
}

/**
 * Puts a task into the queue of slices. The fewer slices its snapshot has (0: it is small, or it is one of the steps
 * before and after them), the sooner it goes: no snapshot waits for one that is known to be larger, but for what was
 * begun. After an abort it is not begun any more; once begun, this ends only when it has ended. (The queue's own `signal`
 * would let go of a task that is still at work.)
 */
export function enqueue<T>(
	{ queue, signal }: Pick<Pass, 'queue' | 'signal'>,
	slices: number,
	work: () => Promise<T>,
): Promise<T> {
	const unlessAborted = async () => {
		signal.throwIfAborted()
		return await work()
	}
	return queue.add(unlessAborted, { priority: -slices })
}
