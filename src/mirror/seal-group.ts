import { SnaphavenError } from '../errors.ts'
import type { Haven } from '../haven/haven.ts'
import { gathering, PARTIAL, receiptsFolder, snapshotsFolder } from '../haven/layout.ts'
import type { Lease } from '../haven/lease.ts'
import { placesOf } from '../haven/places.ts'
import type { Publication, Published } from '../haven/publish.ts'
import { havenTrouble } from '../haven/trouble.ts'
import type { Engine } from './engine.ts'
import { checkFlushes, flushGroup } from './flush-haven.ts'
import type { Gathered } from './gather-order.ts'
import type { Trial } from './trial.ts'

/** What a group is sealed with. */
export interface GroupOptions {
	haven: Haven
	lease: Lease
	engine: Engine
	trial: Trial
}

/**
 * Seals a group: durable under their own names when it resolves, a result for each.
 * Rejects with what failed, as it is to be told; `onStuck` is told first where the group could not be undone.
 */
export async function sealGroup(
	options: GroupOptions,
	number: number,
	group: Gathered[],
	onStuck: (error: unknown) => void,
): Promise<Published[]> {
	const { engine, haven, lease, trial } = options
	const publications = group.map(({ publication }) => publication)
	const intent = gathering.intent(lease.partial, number)
	let begun = false
	try {
		checkFlushes(haven, group)
		await lease.check()
		await engine.run('writeIntent', haven.base, intent, publications, haven.flushWay === 'each file')
		await flushGroup(options, group, [lease.partial, PARTIAL, '.', ...publications.flatMap(({ key }) => placesOf(key))])
		await lease.check()
		begun = true
		const published = await inChunks(publications, (chunk) =>
			engine.run('publishAll', haven.base, lease.partial, chunk),
		)
		await flushGroup(options, group, [
			lease.partial,
			...publications.flatMap(({ key }) => [snapshotsFolder(key), receiptsFolder(key)]),
		])
		await engine.run('unlink', `${haven.base}/${intent}`)
		const untidy = publications.filter((_, index) => published[index]?.replaced || group[index]?.inSlices)
		// All of it counts by now: what is left in partial goes with the lease.
		if (untidy.length > 0) await engine.run('clearUp', haven.base, lease.partial, untidy).catch(() => {})
		return published
	} catch (error) {
		const told = havenTrouble(error)
		await undo(options, { intent, publications, begun }).catch((again: unknown) => {
			const failed = trial.settled(notUndone(told, havenTrouble(again)))
			onStuck(failed)
			throw failed
		})
		throw await trial.judge(told)
	}
}

/** The session has to end, whatever it was: the next one recovers by the intent. */
export function notUndone(error: unknown, again: unknown): unknown {
	if (!(error instanceof SnaphavenError) || error.ofHaven) return error
	if (again instanceof SnaphavenError && again.ofHaven) return again
	const { message, exitCode, hint } = error
	return new SnaphavenError(message, { exitCode, ofHaven: true, cause: error, ...(hint === undefined ? {} : { hint }) })
}

/**
 * After a failure nothing that the group published may count: a flush that failed proves nothing, also when it succeeds
 * the next time. What can't be undone stands behind the intent, for the next start.
 */
async function undo(
	{ engine, haven, lease }: GroupOptions,
	{ intent, publications, begun }: { intent: string; publications: Publication[]; begun: boolean },
): Promise<void> {
	const { base } = haven
	if (begun) await engine.run('withdrawAll', base, lease.partial, publications)
	for (const { number } of publications) {
		await engine.run('discard', { base, partial: lease.partial, number })
		await engine.run('removeTree', `${base}/${gathering.bad(lease.partial, number)}`)
	}
	await engine.run('removeTree', `${base}/${intent}`)
}

const CHUNK = 64

/** Does work in chunks, side by side. A failure is thrown when all have ended: nothing is published any more beside what undoes it. */
export async function inChunks<T, R>(items: T[], work: (chunk: T[]) => Promise<R[]>): Promise<R[]> {
	const chunks: Promise<R[]>[] = []
	for (let at = 0; at < items.length; at += CHUNK) chunks.push(work(items.slice(at, at + CHUNK)))
	await Promise.allSettled(chunks)
	return (await Promise.all(chunks)).flat()
}
