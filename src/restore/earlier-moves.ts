import { runAsync } from '../files/io.ts'
import { inDataDirectory } from './data-folders.ts'
import { finishMoves, type MovesNote } from './moves.ts'
import { clearStage } from './stage.ts'

/** The note of moves, in the stage of each data directory: a later run may be given some of them only. */
export const noteIn = (directory: string): MovesNote => ({ directory, name: 'moves.json' })

/** The note of moves into a running node's live folder, in the one stage that they are from: they take nothing away. */
export const refreshNoteIn = (directory: string): MovesNote => ({ directory, name: 'refresh.json' })

/**
 * Ends what an earlier run was moving while the node is stopped, all before any stage goes: a note names files of all
 * stages, and is in each.
 */
export async function finishEarlier(dataDirectories: string[]): Promise<void> {
	await finishBeforeRefresh(dataDirectories)
	for (const directory of dataDirectories) await finish(noteIn(directory))
	for (const directory of dataDirectories) await inDataDirectory(directory, () => clearStage(directory))
}

/** Ends what an earlier run was moving that may be moved while the node runs. */
export async function finishBeforeRefresh(dataDirectories: string[]): Promise<void> {
	for (const directory of dataDirectories) await finish(refreshNoteIn(directory))
}

async function finish(note: MovesNote): Promise<void> {
	await inDataDirectory(note.directory, () => runAsync(finishMoves(note)))
}
