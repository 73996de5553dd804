import { failure } from '../errors.ts'
import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { PARTIAL, type SnapshotKey } from './layout.ts'
import { findLiveIntents } from './live-turn.ts'
import { findIntents } from './recover.ts'
import { findRemovals } from './remove.ts'

/**
 * The snapshots that an intent names: they are being sealed or removed, or a run was killed meanwhile, and none counts
 * until the intent is gone. A reader looks for its receipt first, then here, then for that receipt's id again.
 */
export function* readDoubts(base: string): Io<SnapshotKey[]> {
	for (let tries = 0; ; tries++) {
		try {
			const doubts: SnapshotKey[] = []
			for (const folder of yield* readdir(`${base}/${PARTIAL}`)) {
				for (const { intent } of yield* findIntents(base, `${PARTIAL}/${folder}`)) {
					doubts.push(...intent.publications.map(({ key }) => key))
				}
				for (const { turns } of yield* findLiveIntents(base, `${PARTIAL}/${folder}`)) {
					doubts.push(...turns.map(({ key }) => key))
				}
				for (const { removals } of yield* findRemovals(base, `${PARTIAL}/${folder}`)) {
					doubts.push(...removals.map(({ key }) => key))
				}
			}
			return doubts
		} catch (error) {
			if (hasCode(error, 'EACCES')) throw unseen(error)
			// A group has ended meanwhile, or who took the lease over has renamed the folder: its intents are elsewhere.
			if (!hasCode(error, 'ENOENT') || tries >= TRIES_MAX) throw error
		}
	}
}

const TRIES_MAX = 100

function unseen(error: Error) {
	return failure(
		`what is being sealed can’t be seen by this user (${error.message})`,
		'Run as the user that snaphaven runs as, or as root.',
		error,
	)
}
