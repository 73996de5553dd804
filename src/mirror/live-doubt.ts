import { type FolderIdentity, isProvenSame } from '../cassandra/folder-identity.ts'
import type { LiveListing } from '../cassandra/live-listing.ts'
import type { ReceiptFile, SourceIdentity } from '../haven/receipt.ts'

/** By what it is decided whether what is gone from the node is to go from the haven's live set. */
interface LiveEvidence {
	listing: Pick<LiveListing, 'dataDirectories' | 'parents'>
	/** Of the receipt: where its set came from. */
	source: SourceIdentity
	/** Of the receipt: files that are on the node still. */
	kept: readonly ReceiptFile[]
}

/**
 * Why it can't be told that SSTables that are gone were compacted away, and not a disk unmounted or replaced: undefined
 * where it can. Every folder that the set came from has to be there, and be that very one. Where the file system does not
 * say when a folder was made, something of the set has to be there still.
 */
export function whyInDoubt({ listing, source, kept }: LiveEvidence): string | undefined {
	for (const { dataDirectory, table } of source.parents ?? []) {
		const at = listing.dataDirectories.indexOf(dataDirectory)
		const now = at < 0 ? undefined : listing.parents[at]
		if (!now) return `${dataDirectory}, where a part of it came from, has no folder of the table any more`
		if (!isSameFolder(table, now.table, kept.length > 0)) {
			return `the folder of the table in ${dataDirectory} is another one than it came from`
		}
	}
	return undefined
}

function isSameFolder(one: FolderIdentity, other: FolderIdentity, isAnyThere: boolean): boolean {
	if (isProvenSame(one, other)) return true
	const isUntold = one.bornNs === undefined && other.bornNs === undefined
	return isUntold && one.ino === other.ino && isAnyThere
}
