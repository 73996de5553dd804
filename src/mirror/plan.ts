import type { SnapshotFile, SnapshotListing } from '../cassandra/snapshot.ts'
import { mayBeRewritten, parseComponent } from '../cassandra/sstable.ts'
import { LIVE } from '../haven/layout.ts'
import type { Origin, Receipt, ReceiptFile } from '../haven/receipt.ts'
import type { TransferAmounts } from './types.ts'

/** One file to be brought to the haven, and how. */
export interface Transfer {
	file: SnapshotFile
	how: Origin
	/** `hardlinked`, `reflinked`: that is done already; it is to be read for its CRC, in pieces where it is large. */
	shared?: true
	/** `reused`: the tag that has it (LIVE: the live set), and what its receipt says of it. */
	from?: { tag: string; known: ReceiptFile } | undefined
	/** `reused`: it is to be read all the same, for the proofs. */
	read?: boolean
}

export interface PlanOptions {
	/** Receipts of the same table whose files the haven already has. */
	earlier: Receipt[]
	/** The haven can hard-link. */
	canLink: boolean
	/** `--hardlink`: share the node's blocks. */
	hardlink: boolean
	/** The haven can reflink. */
	canReflink: boolean
	/** Devices (st_dev) that the haven is on too: only their files can be hard-linked or reflinked. */
	sharedDevices: bigint[]
}

/** Smaller files are copied as fast as they are reflinked. */
const REFLINK_BYTES_MIN = 256 * 1024

/** Decides for each file of a snapshot how it comes to the haven. */
export function planTransfers({ files }: Pick<SnapshotListing, 'files'>, options: PlanOptions): Transfer[] {
	const known = options.canLink ? indexOf(options.earlier) : new Map<string, Known[]>()
	return files.map((file) => {
		const from = known.get(file.path)?.find((one) => isSameComponent(file, one.known))
		if (from) return { file, how: 'reused', from }
		if (!options.sharedDevices.includes(file.dev)) return { file, how: 'copied' }
		if (options.hardlink && options.canLink && !mayBeRewritten(file.path)) return { file, how: 'hardlinked' }
		return { file, how: options.canReflink && file.size >= REFLINK_BYTES_MIN ? 'reflinked' : 'copied' }
	})
}

type SameFile = Pick<SnapshotFile, 'path' | 'size' | 'mtimeNs' | 'ino'>

/** Whether a component of an SSTable is the very one that a receipt tells of, by the node's size and time of it. */
export function isSameComponent(file: SameFile, known: Pick<ReceiptFile, 'size' | 'mtimeNs' | 'ino'>): boolean {
	return file.size === known.size && String(file.mtimeNs) === known.mtimeNs && isSame(file, known)
}

/**
 * Only of an SSTable's components can the node's stat say that they are the same: manifest.json has one name and often
 * one size in all snapshots. A time of whole seconds was set by a tool and may be any file's: then the inode must agree.
 */
function isSame(file: Pick<SnapshotFile, 'path' | 'mtimeNs' | 'ino'>, known: Pick<ReceiptFile, 'ino'>): boolean {
	if (!parseComponent(file.path)) return false
	return file.mtimeNs % NS_A_SECOND !== 0n || String(file.ino) === known.ino
}

const NS_A_SECOND = 1_000_000_000n

/** A file that the haven has, and the tag that has it. */
type Known = NonNullable<Transfer['from']>

/** What the haven has by path, that of the last receipt first. */
function indexOf(receipts: Receipt[]): Map<string, Known[]> {
	const index = new Map<string, Known[]>()
	for (const { tag, files } of receipts.toReversed()) {
		for (const known of files) {
			// What Cassandra may write anew is replaced in a live set, while it might be linked.
			if (known.damage !== undefined || (tag === LIVE && mayBeRewritten(known.path))) continue
			const others = index.get(known.path)
			if (others) others.push({ tag, known })
			else index.set(known.path, [{ tag, known }])
		}
	}
	return index
}

/** The files and bytes of a plan, by how they come. */
export function amountsOf(transfers: readonly { how: Origin; size: number }[]): TransferAmounts {
	const amounts: TransferAmounts = {
		copied: { files: 0, bytes: 0 },
		hardlinked: { files: 0, bytes: 0 },
		reflinked: { files: 0, bytes: 0 },
		reused: { files: 0, bytes: 0 },
	}
	for (const { how, size } of transfers) {
		amounts[how].files += 1
		amounts[how].bytes += size
	}
	return amounts
}

/** What a file takes beyond its bytes, at most: its last block, its inode, its line in the receipt. */
const FILE_OVERHEAD_BYTES = 5 * 1024

/** How much space in the haven a plan needs, at most. */
export function spaceNeeded(transfers: readonly Transfer[]): number {
	return transfers.reduce((sum, { how, file }) => sum + FILE_OVERHEAD_BYTES + (how === 'copied' ? file.size : 0), 0)
}
