import type { Haven } from '../haven/haven.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import { adoptAll } from './adopt.ts'
import type { AdoptionAnswer } from './draft-adoption.ts'
import type { Pass } from './pass.ts'
import { pruneSealed } from './prune.ts'
import type { Removable, Removed } from './remover.ts'
import { type RepairAnswer, type Repairable, repairAll } from './repair.ts'
import { type WriterPlace, withWriter } from './with-writer.ts'

/** What can be done to a haven beside mirroring, whoever has its lease: a running service, or a command. */
export interface Tending {
	/** See pruneSealed. */
	prune: (wanted: Removable[]) => Promise<Removed[]>
	/** See adoptAll. */
	adopt: (keys: SnapshotKey[]) => Promise<AdoptionAnswer[]>
	/** See repairAll. */
	repair: (damaged: Repairable[]) => Promise<RepairAnswer[]>
}

/** Tends a haven in a pass that writes. */
export function tendingIn(pass: Pick<Pass, 'engine' | 'pruned' | 'nextNumber'>, more: TendingParts): Tending {
	const parts = { ...pass, ...more }
	return {
		prune: (wanted) => pruneSealed(parts, wanted),
		adopt: (keys) => adoptAll(parts, keys),
		repair: (damaged) => repairAll(parts, damaged),
	}
}

interface TendingParts {
	haven: Haven
	writing: NonNullable<Pass['writing']>
	dataDirectories: string[]
	settleMs: number
}

/**
 * Tends a haven that no service writes to: takes its lease, and finishes what earlier holders left, before `work`. Throws
 * as withWriter does.
 * @param settleMs How long a copy without a manifest must have been quiet to be adopted, in ms.
 */
export async function tendHaven(
	place: WriterPlace,
	settleMs: number,
	work: (tending: Tending) => Promise<void>,
): Promise<void> {
	const { dataDirectories } = place
	await withWriter(place, async ({ haven, engine, writing }) => {
		let number = 0
		const own = { engine, pruned: new Map<string, string>(), nextNumber: () => number++ }
		await work(tendingIn(own, { haven, writing, dataDirectories, settleMs }))
	})
}
