import { codeOf } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import type { Engine } from './engine.ts'
import type { Pass, Writing } from './pass.ts'
import { prunedIdentity, prunedKey } from './pruned-key.ts'
import type { Removable, Removed } from './remover.ts'

interface Pruning {
	haven: Haven
	engine: Engine
	writing: Writing
	/** See Pass. */
	pruned: Pass['pruned']
}

/**
 * Removes sealed snapshots from the haven because nobody wants them any more: an answer for each, in its order. What of
 * them is on the node still is left alone from then on. The node's facts go too that no tag needs any more. Rejects as Remover.remove does.
 */
export async function pruneSealed(
	{ haven, engine, writing, pruned }: Pruning,
	wanted: Removable[],
): Promise<Removed[]> {
	const how = { flushFolders: haven.record.capabilities.folderFlush }
	// One at a time: each reads what is known, and writes it anew.
	const noted = await writing.sealer.alone(() =>
		engine.run('notePruned', haven.base, writing.lease.partial, wanted, how),
	)
	for (const one of noted) pruned.set(prunedKey(one), prunedIdentity(one))
	const removed = await writing.remover.remove(wanted)
	const clear = () => engine.run('clearUnneededFacts', haven.base, writing.lease.partial)
	// What stays goes with the next one that is pruned.
	await writing.sealer.alone(clear).catch((error: unknown) => {
		if (codeOf(error) === undefined) throw error
	})
	return removed
}
