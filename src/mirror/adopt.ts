import { foldersOf } from '../haven/adopted.ts'
import type { Haven } from '../haven/haven.ts'
import { receiptsFolder, type SnapshotKey } from '../haven/layout.ts'
import { havenTrouble } from '../haven/trouble.ts'
import type { AdoptionAnswer } from './draft-adoption.ts'
import type { Engine } from './engine.ts'
import { flushGroup } from './flush-haven.ts'
import type { Writing } from './pass.ts'

interface Adopting {
	haven: Haven
	engine: Engine
	writing: Writing
	nextNumber: () => number
	dataDirectories: string[]
	settleMs: number
}

/**
 * Gives receipts to snapshots that something else has copied into the mirror: an answer for each, in its order. Each is
 * read and proven first; it and its receipt are durable when this resolves. Nothing in the mirror is moved or changed.
 */
export async function adoptAll(adopting: Adopting, keys: SnapshotKey[]): Promise<AdoptionAnswer[]> {
	const { haven, engine, writing, nextNumber, dataDirectories, settleMs } = adopting
	const { partial } = writing.lease
	const begun = [{ flushFailures: haven.flushFailures() }]
	const grainNs = haven.record.capabilities.mtimeGrainNs
	const ways = { base: haven.base, partial, dataDirectories, settleMs, grainNs }
	const drafts = keys.map((key) => ({ key, number: nextNumber() }))
	const answers = await Promise.all(drafts.map((one) => engine.run('draftAdoption', { ...ways, ...one })))
	const adopted = drafts.filter((_, index) => answers[index]?.answer === 'adopted')
	if (adopted.length > 0) {
		try {
			await writing.sealer.alone(async () => {
				await flushGroup(adopting, begun, [partial, ...adopted.flatMap(({ key }) => foldersOf(key))])
				await writing.lease.check()
				await engine.run('putAdopted', haven.base, partial, adopted)
				await flushGroup(
					adopting,
					begun,
					adopted.flatMap(({ key }) => [...foldersOf(key), receiptsFolder(key)]),
				)
			})
		} catch (error) {
			throw havenTrouble(error)
		}
	}
	return answers
}
