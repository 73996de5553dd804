import type { GoodCopy } from '../haven/good-copies.ts'
import type { Haven } from '../haven/haven.ts'
import type { Repair } from '../haven/repair.ts'
import type { Engine } from './engine.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import type { Writing } from './pass.ts'

/** A damaged file under each of its names, and copies that were found good. */
export interface Repairable extends Pick<Repair, 'targets'> {
	good: GoodCopy[]
}

/** What came of it. */
export type RepairAnswer = { repaired: true; from: GoodCopy } | { repaired: false; reason: string }

interface Repairing {
	haven: Haven
	engine: Engine
	writing: Writing
	nextNumber: () => number
}

/**
 * Puts a good copy in the place of each damaged file that has one: an answer for each, in its order. Each is proven once
 * more while it is copied. Rejects where the haven as a whole does not work.
 */
export async function repairAll(repairing: Repairing, wanted: Repairable[]): Promise<RepairAnswer[]> {
	const answers: RepairAnswer[] = []
	for (const one of wanted) answers.push(await repairOne(repairing, one))
	return answers
}

async function repairOne(repairing: Repairing, { good, targets }: Repairable): Promise<RepairAnswer> {
	const { hardLinks } = repairing.haven.record.capabilities
	const parts = hardLinks ? [targets] : targets.map((one) => [one])
	let reason = 'no good copy was found'
	for (const from of good) {
		try {
			const problem = await putAll(repairing, from, parts)
			if (problem === undefined) return { repaired: true, from }
			reason = problem
		} catch (error) {
			if (!isOneSnapshots(error)) throw error
			reason = explain(error)
		}
	}
	return { repaired: false, reason }
}

/** Gives why not all of it was put in place, if so. A copy takes its time: snapshots are sealed meanwhile. */
async function putAll(
	{ haven: { base }, engine, writing, nextNumber }: Repairing,
	from: GoodCopy,
	parts: Repairable['targets'][],
): Promise<string | undefined> {
	const { partial } = writing.lease
	for (const targets of parts) {
		const repair = { number: nextNumber(), targets }
		const proven = await engine.run('draftRepair', base, partial, repair, from.path)
		if (typeof proven === 'string') return proven
		const problem = await writing.sealer.alone(() => engine.run('putRepaired', base, partial, repair, proven))
		if (problem !== undefined) return problem
	}
	return undefined
}
