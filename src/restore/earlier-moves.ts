import { removeTree } from '../files/folders.ts'
import { runAsync } from '../files/io.ts'
import { finishMoves } from './moves.ts'
import { stageRoot } from './stage.ts'

/** The note of moves, in the stage of each data directory: a later run may be given some of them only. */
export const noteIn = (stage: string) => `${stage}/moves.json`

/** The note of moves into a running node's live folder, in the one stage that they are from: they take nothing away. */
export const refreshNoteIn = (stage: string) => `${stage}/refresh.json`

/**
 * Ends what an earlier run was moving while the node is stopped, all before any stage goes: a note names files of all
 * stages, and is in each.
 */
export async function finishEarlier(dataDirectories: string[]): Promise<void> {
	await finishBeforeRefresh(dataDirectories)
	const stages = dataDirectories.map(stageRoot)
	for (const stage of stages) await runAsync(finishMoves(noteIn(stage)))
	for (const stage of stages) await runAsync(removeTree(stage))
}

/** Ends what an earlier run was moving that may be moved while the node runs. */
export async function finishBeforeRefresh(dataDirectories: string[]): Promise<void> {
	for (const stage of dataDirectories.map(stageRoot)) await runAsync(finishMoves(refreshNoteIn(stage)))
}
