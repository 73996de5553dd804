import { MANIFEST, type SnapshotFile, type SnapshotListing } from '../cassandra/snapshot.ts'
import { mayChangeInPlace } from '../cassandra/sstable.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'

/** How a snapshot on the node relates to a receipt of its tag. */
type Relation =
	/** The very files (a TOC.txt that Cassandra rewrote in place since is no change). */
	| { relation: 'same' }
	/** Only the receipt's very files, but not all of them: it is being cleared, by us or by an operator. */
	| { relation: 'remains' }
	| { relation: 'other'; reason: string }

/** Compares what the node has with what was sealed, by inode, size and mtime, where Cassandra writes in place by inode. */
export function relate(listing: SnapshotListing, receipt: Receipt): Relation {
	const sealed = new Map(receipt.files.map((file) => [file.path, file]))
	for (const file of [...listing.files, ...listing.superseded]) {
		const was = sealed.get(file.path)
		if (!was) return { relation: 'other', reason: `${file.path} is not in the receipt` }
		// Of several manifest.json and schema.cql the receipt names all, and one was copied.
		const known = [was, ...receipt.source.files.filter(({ path }) => path === file.path)]
		if (!known.some((one) => isVeryFile(file, one)))
			return { relation: 'other', reason: `${file.path} is not the file that was copied` }
	}
	return { relation: listing.files.length === receipt.files.length ? 'same' : 'remains' }
}

/** Whether a file on the node is the very one that was copied. */
export function isVeryFile(
	file: Pick<SnapshotFile, 'path' | 'ino' | 'size' | 'mtimeNs'>,
	was: Pick<ReceiptFile, 'ino' | 'size' | 'mtimeNs'>,
): boolean {
	if (String(file.ino) !== was.ino) return false
	return mayChangeInPlace(file.path) || (file.size === was.size && String(file.mtimeNs) === was.mtimeNs)
}

/**
 * Whether what remains of a sealed snapshot may as well be the beginning of a new one of the same tag: Cassandra links
 * the same SSTables first, and writes manifest.json at the end. Whoever clears a snapshot here removes that last.
 */
export function mayBeBegun(listing: SnapshotListing): boolean {
	return !listing.files.some(({ path }) => path === MANIFEST)
}
