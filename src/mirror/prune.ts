import type { Haven } from '../haven/haven.ts'
import type { Engine } from './engine.ts'
import type { Pass, Writing } from './pass.ts'
import { prunedIdentity, prunedKey } from './pruned-key.ts'
import type { Removable, Removed } from './remover.ts'
import { type WriterPlace, withWriter } from './with-writer.ts'

interface Pruning {
	haven: Haven
	engine: Engine
	writing: Writing
	/** See Pass. */
	pruned: Pass['pruned']
}

/**
 * Removes sealed snapshots from the haven because nobody wants them any more: an answer for each, in its order. What of
 * them is on the node still is left alone from then on. Rejects as Remover.remove does.
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
	return await writing.remover.remove(wanted)
}

/**
 * Prunes a haven that no service writes to: takes its lease, and finishes what earlier holders left, before `work`, which
 * is given how to remove. Throws where the haven is not this node's, or where another process writes to it.
 */
export async function pruneHaven(
	{ signal, warn, ...place }: WriterPlace,
	work: (remove: (wanted: Removable[]) => Promise<Removed[]>) => Promise<void>,
): Promise<void> {
	await withWriter({ ...place, warn, signal }, async ({ haven, engine, writing }) => {
		const pruned = new Map<string, string>()
		await work((wanted) => pruneSealed({ haven, engine, writing, pruned }, wanted))
	})
}
