import { removeTree } from '../files/folders.ts'
import { runAsync } from '../files/io.ts'
import { finishMoves } from './moves.ts'
import { stageRoot } from './stage.ts'

/** The note of moves, in the stage of each data directory: a later run may be given some of them only. */
export const noteIn = (stage: string) => `${stage}/moves.json`

/** Ends what an earlier run was moving, all before any stage goes: a note names files of all stages, and is in each. */
export async function finishEarlier(dataDirectories: string[]): Promise<void> {
	const stages = dataDirectories.map(stageRoot)
	for (const stage of stages) await runAsync(finishMoves(noteIn(stage)))
	for (const stage of stages) await runAsync(removeTree(stage))
}
