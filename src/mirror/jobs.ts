import { findTables } from '../cassandra/find-tables.ts'
import { glanceAnew } from '../cassandra/glance.ts'
import { flushFolder, removeTree } from '../files/folders.ts'
import { each, type Io } from '../files/io.ts'
import { unlink } from '../files/operations.ts'
import { type Adopted, putAdopted } from '../haven/adopted.ts'
import { readBaseline, writeBaseline } from '../haven/baseline.ts'
import { lookAtCopies } from '../haven/copies.ts'
import { findExpired, takeDayOut } from '../haven/deleted.ts'
import { hasFactsFolder, keepFacts, makeFactsFolders, readNote } from '../haven/facts.ts'
import { findGoodCopies } from '../haven/good-copies.ts'
import {
	clearUpLive,
	findLiveIntents,
	type LiveTurn,
	type PutLive,
	putLive,
	takeLiveOut,
	writeLiveIntent,
} from '../haven/live-turn.ts'
import { recoverLive, undoLive } from '../haven/live-undo.ts'
import { isSlow, isSlowToRead } from '../haven/measure.ts'
import { draftMark, type Mark, putMark } from '../haven/moving.ts'
import { makePlaces } from '../haven/places.ts'
import { appendProgress, findProgress } from '../haven/progress.ts'
import { clearUp, type Publication, type Published, publish, writeIntent } from '../haven/publish.ts'
import { readHeads } from '../haven/read-heads.ts'
import { readPieces } from '../haven/read-pieces.ts'
import { whatBecameOf } from '../haven/read-sealed.ts'
import { findIntents, recover, type Undone } from '../haven/recover.ts'
import { clearRemoved, findRemovals, isMeant, type Removal, takeOut, writeRemovals } from '../haven/remove.ts'
import { draftRepair, putRepaired } from '../haven/repair.ts'
import { withdraw } from '../haven/withdraw.ts'
import { lookForBackups } from './backups-look.ts'
import { findSettledOf } from './beginning.ts'
import { clearUnneededFacts } from './clear-facts.ts'
import { completeGathering } from './complete.ts'
import { draftAdoption } from './draft-adoption.ts'
import { findCleared, findVanished } from './find-cleared.ts'
import { gatherSnapshot, lookAgain } from './gather.ts'
import { beginGathering, discard, gatherLiveSlice, gatherSlice } from './gather-slice.ts'
import { lookForLive } from './live-look.ts'
import { lookAtTable } from './look.ts'
import { removeSource } from './move.ts'
import { notePruned } from './note-pruned.ts'
import { pruneBackups } from './prune-backups.ts'
import { resumablePieces, resumeGathering } from './resume.ts'
import { shareLarge } from './share-large.ts'

/** Publications in flight at a time, where calls are asynchronous. */
const WIDTH = 32

/**
 * All work that touches disks: what an engine runs, by name, in a worker thread or on the main one. Arguments and
 * results are plain data.
 */
export const jobs = {
	findTables,
	glanceAnew,
	lookAtTable,
	findSettled: findSettledOf,
	readBaseline,
	writeBaseline,
	notePruned,
	draftAdoption,
	putAdopted: (base: string, partial: string, adopted: Adopted[]): Io<unknown> =>
		each(adopted, WIDTH, (one) => putAdopted(base, partial, one)),
	gatherSnapshot,
	beginGathering,
	shareLarge,
	gatherSlice,
	gatherLiveSlice,
	lookForLive,
	lookForBackups,
	pruneBackups,
	findExpired,
	takeDayOut,
	writeLiveIntent,
	findLiveIntents,
	recoverLive,
	completeGathering,
	lookAgain,
	discard,
	removeSource,
	writeIntent,
	findIntents,
	unlink,
	appendProgress,
	findProgress,
	resumablePieces,
	resumeGathering,
	flushFolders: (paths: string[]): Io<unknown> => each(paths, WIDTH, flushFolder),
	publishAll: (base: string, partial: string, publications: Publication[]): Io<Published[]> =>
		each(publications, WIDTH, (publication) => publish(base, partial, publication)),
	withdrawAll: (base: string, partial: string, publications: Publication[]): Io<unknown> =>
		each(publications, WIDTH, (publication) => withdraw(base, partial, publication, 'own')),
	clearUp: (base: string, partial: string, publications: Publication[]): Io<unknown> =>
		each(publications, WIDTH, (publication) => clearUp(base, partial, publication)),
	putLiveAll: (base: string, partial: string, turns: LiveTurn[]): Io<PutLive[]> =>
		each(turns, WIDTH, (turn) => putLive(base, partial, turn)),
	takeLiveOutAll: (base: string, partial: string, turns: LiveTurn[]): Io<string[][]> =>
		each(turns, WIDTH, (turn) => takeLiveOut(base, partial, turn)),
	undoLiveAll: (base: string, partial: string, turns: LiveTurn[]): Io<unknown[]> =>
		each(turns, WIDTH, (turn) => undoLive(base, partial, turn, 'own')),
	clearUpLiveAll: (base: string, partial: string, turns: LiveTurn[]): Io<unknown[]> =>
		each(turns, WIDTH, (turn) => clearUpLive(base, partial, turn)),
	findCleared,
	findVanished,
	writeRemovals,
	findRemovals,
	areMeant: (base: string, wanted: Pick<Removal, 'key' | 'receiptId'>[]): Io<boolean[]> =>
		each(wanted, WIDTH, (one) => isMeant(base, one)),
	takeAllOut: (base: string, partial: string, removals: Removal[]): Io<(string[] | undefined)[]> =>
		each(removals, WIDTH, (removal) => takeOut(base, partial, removal)),
	clearRemoved,
	draftMarks: (base: string, partial: string, marks: Mark[], flush: boolean): Io<boolean[]> =>
		each(marks, WIDTH, (mark) => draftMark(base, partial, mark, flush)),
	putMarks: (base: string, partial: string, marks: Mark[]): Io<unknown> =>
		each(marks, WIDTH, (mark) => putMark(base, partial, mark)),
	*recover(base: string, partial: string, publication: Publication): Io<Undone | undefined> {
		yield* makePlaces(base, publication.key)
		return yield* recover(base, partial, publication)
	},
	removeTree,
	isSlow,
	isSlowToRead,
	readHeads,
	lookAtCopies,
	readPieces,
	whatBecameOf,
	findGoodCopies,
	draftRepair,
	putRepaired,
	hasFactsFolder,
	makeFactsFolders,
	readNote,
	keepFacts,
	clearUnneededFacts,
	/** Does nothing: it tells that the thread has loaded its code. */
	*answer(): Io<void> {},
}

/** The jobs' names. */
export type JobName = keyof typeof jobs
/** What a job takes. */
export type JobArguments<N extends JobName> = Parameters<(typeof jobs)[N]>
/** What a job gives. */
export type JobResult<N extends JobName> = ReturnType<(typeof jobs)[N]> extends Io<infer T> ? T : never
