import PQueue from 'p-queue'
import type { Haven } from '../haven/haven.ts'
import { PARTIAL, removing, type SnapshotKey } from '../haven/layout.ts'
import type { Lease } from '../haven/lease.ts'
import type { Removal } from '../haven/remove.ts'
import { havenTrouble } from '../haven/trouble.ts'
import { inBatches } from './batches.ts'
import type { Engine } from './engine.ts'
import { flushGroup, flushHaven } from './flush-haven.ts'
import type { Sealer } from './sealer.ts'
import type { Trial } from './trial.ts'

/** A sealed snapshot that is to be removed from the haven. */
export interface Removable {
	key: SnapshotKey
	/** The `id` of the receipt that was decided upon: where another has taken its place, nothing is removed. */
	receiptId: string
}

/** What came of it. */
export type Removed =
	/** It is gone for good; `bytes` were freed, of files that no other snapshot shares. */
	| { removed: true; bytes: number }
	/** Its receipt is not there any more, or another. */
	| { removed: false }

/** Removes sealed snapshots from the haven: the receipt and the folder, in groups, so that two flushes serve many. */
export interface Remover {
	/**
	 * Resolves when the removal is durable and the space free, an answer for each in its order. Rejects where it could not
	 * be made durable: then each of them is either still there whole, or gone with the next start. Files that other
	 * snapshots share stay.
	 */
	remove: (wanted: Removable[]) => Promise<Removed[]>
}

const GROUP_MAX = 512

interface RemoverOptions {
	haven: Haven
	lease: Lease
	engine: Engine
	sealer: Sealer
	trial: Trial
}

/** Snapshots whose files are deleted at a time. */
const CLEARED_AT_A_TIME = 4

/** Makes a remover. It takes out while nothing is being published, so that no receipt changes under it. */
export function makeRemover(options: RemoverOptions): Remover {
	const { engine, haven, lease, sealer } = options
	let groups = 0
	let numbers = 0
	const takeOut = inBatches({
		alone: sealer.alone,
		max: GROUP_MAX,
		work: (wanted: Removable[]) => {
			const removals = wanted.map((one): Removal => ({ ...one, number: numbers++ }))
			return takeGroupOut(options, removing.intent(lease.partial, groups++), removals)
		},
	})
	const clearing = new PQueue({ concurrency: CLEARED_AT_A_TIME })
	const remove = async (one: Removable): Promise<Removed> => {
		const out = await takeOut(one)
		if (!out) return { removed: false }
		const bytes = await clearing.add(() => engine.run('clearRemoved', haven.base, lease.partial, out))
		return { removed: true, bytes }
	}
	const told = (error: unknown) => {
		throw havenTrouble(error)
	}
	return { remove: (wanted) => Promise.all(wanted.map((one) => remove(one).catch(told))) }
}

/** Those that were taken out for good, undefined for one whose receipt is not there any more. */
async function takeGroupOut(
	options: RemoverOptions,
	intent: string,
	wanted: Removal[],
): Promise<(Removal | undefined)[]> {
	const { engine, haven, lease, trial } = options
	const meant = await engine.run('areMeant', haven.base, wanted)
	const removals = wanted.filter((_, index) => meant[index])
	if (removals.length === 0) return []
	await announce(options, intent, removals)
	try {
		const out = await engine.run('takeAllOut', haven.base, lease.partial, removals)
		await flushHaven(options, [lease.partial, ...out.flatMap((folders) => folders ?? [])])
		await engine.run('unlink', `${haven.base}/${intent}`)
		const gone = new Set(removals.filter((_, index) => out[index]))
		return wanted.map((one) => (gone.has(one) ? one : undefined))
	} catch (error) {
		// The intent stays for the next start, which has to come also where the haven works but for one place in it.
		throw trial.settled(havenTrouble(error))
	}
}

/** Makes the intent durable. Where that fails nothing was begun, and nothing is to be finished by the next start. */
async function announce(options: RemoverOptions, intent: string, removals: Removal[]): Promise<void> {
	const { engine, haven, lease } = options
	const begun = [{ flushFailures: haven.flushFailures() }]
	try {
		await lease.check()
		await engine.run('writeRemovals', haven.base, intent, removals, haven.flushWay === 'each file')
		await flushGroup(options, begun, [lease.partial, PARTIAL, '.'])
		await lease.check()
	} catch (error) {
		await engine.run('removeTree', `${haven.base}/${intent}`).catch(() => {})
		throw error
	}
}
