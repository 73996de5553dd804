import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'
import { isBackups, LIVE, PARTIAL, type SnapshotKey } from './layout.ts'
import { namesOf } from './names-of.ts'
import { findProgress } from './progress.ts'

/** The large snapshots that are being gathered, or were when the last run stopped: those with a checkpoint. */
export function* findGathering(base: string): Io<SnapshotKey[]> {
	const found: SnapshotKey[] = []
	for (const folder of yield* readdir(`${base}/${PARTIAL}`)) {
		try {
			if ((yield* namesOf(`${base}/${PARTIAL}/${folder}`)).length === 0) continue
			found.push(
				...(yield* findProgress(base, `${PARTIAL}/${folder}`))
					.map(({ key }) => key)
					.filter(({ tag }) => tag !== LIVE && !isBackups(tag)),
			)
		} catch (error) {
			// It has been sealed by now, or another run has taken the folder over.
			if (!hasCode(error, 'ENOENT')) throw error
		}
	}
	return found
}
