import { failure } from '../errors.ts'
import { flushWayOf } from '../haven/flush.ts'
import { type Haven, openExistingHaven } from '../haven/haven.ts'
import { type Engine, startThreads } from './engine.ts'
import type { Pass, Writing } from './pass.ts'
import { prunedIdentity, prunedKey } from './pruned-key.ts'
import type { Removable, Removed } from './remover.ts'
import { withWriting } from './session.ts'

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

/** Where to prune. */
export interface PrunePlace {
	haven: string
	dataDirectories: string[]
	stateDirectory: string
	warn: (message: string) => void
	signal: AbortSignal
}

/**
 * Prunes a haven that no service writes to: takes its lease, and finishes what earlier holders left, before `work`, which
 * is given how to remove. Throws where the haven is not this node's, or where another process writes to it.
 */
export async function pruneHaven(
	{ signal, warn, ...place }: PrunePlace,
	work: (remove: (wanted: Removable[]) => Promise<Removed[]>) => Promise<void>,
): Promise<void> {
	const ownership = { newHaven: false, takeOver: false, requireMount: false }
	const haven = await openExistingHaven({ ...place, ...ownership, path: place.haven, warn })
	if (!haven) throw failure(`there is no haven at ${place.haven}`, 'Is it mounted?')
	const threads = startThreads()
	try {
		const opened = { ...haven, flushWay: await flushWayOf(haven.base) }
		const engine = await threads.engineFor(opened)
		await withWriting({ haven: opened, engine, warn, signal }, async (writing) => {
			const pruned = new Map<string, string>()
			await work((wanted) => pruneSealed({ haven: opened, engine, writing, pruned }, wanted))
		})
	} finally {
		await threads.close()
		haven.close()
	}
}
