import type { Io } from '../files/io.ts'
import { stat } from '../files/operations.ts'

/** What tells a folder from any other that may come to stand at its path, over reboots too. */
export interface FolderIdentity {
	/** The inode number, decimal. */
	ino: string
	/** When it was made, ns since the epoch, decimal; not there where the file system does not say. */
	bornNs?: string
}

/** The keyspace's and the table's folder that a snapshot lies in, in one data directory. */
export interface ParentIdentities {
	keyspace: FolderIdentity
	table: FolderIdentity
}

/** The identity of an opened folder: one fstat. */
export function* identifyFolder(folder: number): Io<FolderIdentity> {
	const { ino, birthtimeNs } = yield* stat(folder)
	return { ino: String(ino), ...(birthtimeNs > 0n ? { bornNs: String(birthtimeNs) } : {}) }
}

/**
 * Whether two looks were at the very same folder. An inode number alone is no proof: a new file system gives the same
 * low numbers in the same order, so that the folders on a replaced disk may well have them again. Nobody can set the
 * time at which a folder was made. The device's number is left out, since it may change with each boot. Where the kernel
 * lacks statx, Node gives the ctime for that time: then a folder that has changed is not proven, and none is so wrongly.
 */
export function isProvenSame(one: FolderIdentity, other: FolderIdentity): boolean {
	return one.bornNs !== undefined && one.ino === other.ino && one.bornNs === other.bornNs
}
