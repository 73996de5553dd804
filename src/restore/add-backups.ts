import { parseComponent } from '../cassandra/sstable.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'

/** A receipt of a snapshot, to which files of incremental backups may have been added. */
export interface Combined extends Receipt {
	/** Of what files are that are not of the snapshot, by their paths. */
	elsewhere?: ReadonlyMap<string, SnapshotKey>
	/** The receipts' ids, where files of several are in it. */
	ids?: string[]
}

/**
 * A snapshot and what was flushed after it, up to a time: SSTables of incremental backups whose Data.db was written after the
 * snapshot was taken, and not after that time (ms since the epoch). Older ones stay out: the snapshot has what became of
 * them, and a compaction may have dropped tombstones that hid a part of them. A pure function.
 */
export function addBackups(
	snapshot: Receipt,
	parts: readonly Receipt[],
	untilMs: number,
): Combined | { problem: string } {
	const has = new Map(snapshot.files.map((file) => [file.path, file]))
	const folders = new Map(snapshot.folders.map((folder) => [folder.path, folder]))
	const elsewhere = new Map<string, SnapshotKey>()
	const files: ReceiptFile[] = [...snapshot.files]
	const ids = [snapshot.id]
	for (const part of parts) {
		for (const [prefix, sstable] of sstablesOf(part, Date.parse(snapshot.takenAt), untilMs)) {
			const data = sstable.find(isData)
			const other = has.get(data?.path ?? '')
			if (other && data && isSame(other, data)) continue
			const taken = sstable.find(({ path }) => has.has(path))
			if (taken) return { problem: nameTaken(taken.path) }
			const damaged = sstable.find(({ damage }) => damage !== undefined)
			if (damaged)
				return { problem: `its incremental backup ${damaged.path} was damaged on the node: ${damaged.damage}` }
			for (const file of sstable) {
				has.set(file.path, file)
				elsewhere.set(file.path, part)
				files.push(file)
			}
			const folder = part.folders.find(({ path }) => prefix.startsWith(`${path}/`))
			if (folder && !folders.has(folder.path)) folders.set(folder.path, folder)
			if (!ids.includes(part.id)) ids.push(part.id)
		}
	}
	return { ...snapshot, folders: [...folders.values()], files, elsewhere, ids }
}

function sstablesOf({ files }: Receipt, afterMs: number, untilMs: number): [prefix: string, files: ReceiptFile[]][] {
	const sstables = Map.groupBy(files, ({ path }) => parseComponent(path)?.prefix ?? '')
	return [...sstables].filter(([, sstable]) => {
		const data = sstable.find(isData)
		if (!data) return false
		const writtenNs = BigInt(data.mtimeNs)
		return writtenNs > BigInt(afterMs) * NS_A_MS && writtenNs <= BigInt(untilMs) * NS_A_MS
	})
}

const NS_A_MS = 1_000_000n

function isData({ path }: ReceiptFile): boolean {
	return parseComponent(path)?.component === 'Data.db'
}

function isSame(one: ReceiptFile, other: ReceiptFile): boolean {
	return one.size === other.size && one.mtimeNs === other.mtimeNs && one.crc32 === other.crc32
}

function nameTaken(path: string): string {
	return `Cassandra has given the name ${path} twice since the snapshot, as it may after a TRUNCATE: restore the snapshot without --backups, and the SSTables of its backups/ apart`
}
