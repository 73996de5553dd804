import { parseComponent } from '../cassandra/sstable.ts'
import type { Stage } from './stage.ts'

/** A data directory of a stopped node, and what it gets. */
export interface Disk extends Stage {
	/** Bytes that it gets, all tables together. */
	bytes: number
}

/** What a file is of: all components of one SSTable go together. */
export function unitOf(path: string): string {
	return parseComponent(path)?.prefix ?? path
}

/**
 * Spreads SSTables over data directories, the largest first: each goes whole to where most would be free after it, by
 * what has been given before, and on one file system to the directory that has got least. Adds to what the disks get;
 * gives the disk's place in the list for each SSTable. Those of a secondary index are spread likewise, into its folder
 * within the table's in that directory.
 */
export function spread(files: readonly { path: string; size: number }[], disks: Disk[]): Map<string, number> {
	const sizes = new Map<string, number>()
	for (const { path, size } of files) sizes.set(unitOf(path), (sizes.get(unitOf(path)) ?? 0) + size)
	const places = new Map<string, number>()
	for (const [unit, size] of [...sizes].sort(([, one], [, other]) => other - one)) {
		const [best] = [...disks].sort((one, other) => freeOn(other, disks) - freeOn(one, disks) || one.bytes - other.bytes)
		if (!best) continue
		best.bytes += size
		places.set(unit, disks.indexOf(best))
	}
	return places
}

/** What is left on a disk's file system. */
function freeOn({ device, bytesFree }: Disk, disks: readonly Disk[]): number {
	return bytesFree - bytesOn(device, disks)
}

/** What a file system gets. */
function bytesOn(device: bigint, disks: readonly Disk[]): number {
	return disks.filter((disk) => disk.device === device).reduce((sum, { bytes }) => sum + bytes, 0)
}

/** A disk of which the file system can't take what it gets with all that share it, and how much that is. */
export function overfull(disks: readonly Disk[]): { disk: Disk; needed: number } | undefined {
	const disk = disks.find((one) => freeOn(one, disks) < 0)
	return disk && { disk, needed: bytesOn(disk.device, disks) }
}

/** Bytes that are free on all file systems together. */
export function freeOnAll(disks: readonly Disk[]): number {
	const byDevice = new Map(disks.map(({ device, bytesFree }) => [device, bytesFree]))
	return [...byDevice.values()].reduce((sum, bytes) => sum + bytes, 0)
}
