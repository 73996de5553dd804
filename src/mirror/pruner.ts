import { failure } from '../errors.ts'
import type { Pass } from './pass.ts'
import { pruneSealed } from './prune.ts'
import type { Removable, Removed } from './remover.ts'
import type { Totals } from './totals.ts'

/** Prunes for a service, whichever session it has. */
interface Pruner {
	/** Removes sealed snapshots, and tells of each. Throws where no session is open. */
	prune: (wanted: Removable[]) => Promise<Removed[]>
	/** Runs a session; it does not end before what is being pruned in it. */
	during: (pass: Pass, session: () => Promise<void>) => Promise<void>
}

/** Makes a pruner. */
export function makePruner(totals: Totals): Pruner {
	let current: Pass | undefined
	const underWay = new Set<Promise<unknown>>()
	const prune = async (pass: Pass, wanted: Removable[]): Promise<Removed[]> => {
		const { haven, writing } = pass
		if (!haven || !writing) throw noHaven()
		const removed = await pruneSealed({ ...pass, haven, writing }, wanted)
		for (const [index, one] of removed.entries()) {
			const snapshot = wanted[index]?.key
			if (snapshot && one.removed) totals.tell({ type: 'pruned', snapshot, bytes: one.bytes })
		}
		return removed
	}
	return {
		prune: async (wanted) => {
			if (!current) throw noHaven()
			const task = prune(current, wanted).finally(() => underWay.delete(task))
			underWay.add(task)
			return await task
		},
		during: async (pass, session) => {
			current = pass
			try {
				await session()
			} finally {
				current = undefined
				await Promise.allSettled(underWay)
			}
		},
	}
}

function noHaven(): Error {
	return failure('the service has no haven that it could prune now', 'See what it says: snaphaven status -s HAVEN')
}
