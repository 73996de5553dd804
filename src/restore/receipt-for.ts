import { parseComponent } from '../cassandra/sstable.ts'
import type { Io } from '../files/io.ts'
import { readBackups } from '../haven/backups.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import { readSealed } from '../haven/read-sealed.ts'
import { addBackups, type Combined } from './add-backups.ts'
import type { ChooseOptions } from './types.ts'

/** What is to be restored of a table, or why that can't be told, as for readSealed. */
export type CombinedRead = { receipt: Combined } | { problem: string; gone: boolean }

/**
 * Reads a snapshot's receipt as far as it is to be restored: as another table, without its indexes, which are of other
 * names there; and with incremental backups, with those up to that time.
 */
export function* readReceiptFor(
	base: string,
	key: SnapshotKey,
	{ as, backupsUntilMs }: Pick<ChooseOptions, 'as' | 'backupsUntilMs'>,
): Io<CombinedRead> {
	const read = yield* readSealed(base, key)
	if (!('receipt' in read)) return read
	let receipt: Combined = read.receipt
	if (backupsUntilMs !== undefined) {
		const added = addBackups(receipt, yield* readBackups(base, key, Date.parse(receipt.takenAt)), backupsUntilMs)
		if ('problem' in added) return { problem: added.problem, gone: true }
		receipt = added
	}
	if (!as) return { receipt }
	const files = receipt.files.filter(
		({ path }) => !path.includes('/') && !parseComponent(path)?.component.startsWith('SAI'),
	)
	return { receipt: { ...receipt, folders: [], files } }
}
