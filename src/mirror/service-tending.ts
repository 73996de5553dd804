import { failure } from '../errors.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { Pass } from './pass.ts'
import { type Tending, tendingIn } from './tend.ts'
import type { SyncEvent } from './types.ts'

/** Tends the haven of a service, whichever session it has. */
interface ServiceTending extends Tending {
	/** Runs a session; it does not end before what is being done in it. */
	during: (pass: Pass, session: () => Promise<void>) => Promise<void>
}

/** Makes it; what is done is told. Throws where it is asked for anything while no session is open. */
export function makeServiceTending(tell: (event: SyncEvent) => void): ServiceTending {
	let current: Tending | undefined
	const underWay = new Set<Promise<unknown>>()
	const through = async <T>(work: (tending: Tending) => Promise<T>): Promise<T> => {
		if (!current) {
			throw failure('the service has no haven to work in now', 'See what it says: snaphaven status -s HAVEN')
		}
		const task = work(current).finally(() => underWay.delete(task))
		underWay.add(task)
		return await task
	}
	return {
		prune: async (wanted) => {
			const removed = await through(({ prune }) => prune(wanted))
			for (const [index, one] of removed.entries()) {
				const snapshot = wanted[index]?.key
				if (snapshot && one.removed) tell({ type: 'pruned', snapshot, bytes: one.bytes })
			}
			return removed
		},
		adopt: async (keys) => {
			const answers = await through(({ adopt }) => adopt(keys))
			for (const [index, one] of answers.entries()) {
				const snapshot = keys[index]
				if (snapshot && one.answer === 'adopted') {
					tell({ type: 'adopted', snapshot, state: one.state, files: one.files, bytes: one.bytes })
				}
			}
			return answers
		},
		repair: async (damaged) => {
			const answers = await through(({ repair }) => repair(damaged))
			for (const [index, one] of answers.entries()) {
				const paths = damaged[index]?.targets.map(({ key, path }) => `${snapshotFolder(key)}/${path}`) ?? []
				if (one.repaired) tell({ type: 'repaired', paths, from: one.from })
			}
			return answers
		},
		during: async (pass, session) => {
			const { haven, writing } = pass
			const { dataDirectories, settleMs } = pass.options
			if (haven && writing) current = tendingIn(pass, { haven, writing, dataDirectories, settleMs })
			try {
				await session()
			} finally {
				current = undefined
				await Promise.allSettled(underWay)
			}
		},
	}
}
