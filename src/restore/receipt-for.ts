import { parseComponent } from '../cassandra/sstable.ts'
import type { Io } from '../files/io.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import { readSealed, type SealedRead } from '../haven/read-sealed.ts'
import type { OtherTable } from './places.ts'

/**
 * Reads a snapshot's receipt as far as it is to be restored: as another table, without its indexes, which are of other
 * names there.
 */
export function* readReceiptFor(base: string, key: SnapshotKey, as: OtherTable | undefined): Io<SealedRead> {
	const read = yield* readSealed(base, key)
	if (!as || !('receipt' in read)) return read
	const files = read.receipt.files.filter(
		({ path }) => !path.includes('/') && !parseComponent(path)?.component.startsWith('SAI'),
	)
	return { receipt: { ...read.receipt, folders: [], files } }
}
