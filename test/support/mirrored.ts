import { AssertionError } from 'node:assert'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Tree } from './tree.ts'

/** Most differences that a failed assertion names. */
const namedDifferencesMax = 10

/** How much was compared, so that a test can say that it was not nothing. */
export interface Compared {
	snapshots: number
	files: number
}

/** Throws unless the haven has, of each snapshot of the tree, exactly its files (all data directories merged), equal to the byte. */
export function assertMirrored(tree: Tree, haven: string): Compared {
	const { compared, differences } = compareMirror(tree, haven)
	if (differences.length > 0) {
		const named = differences.slice(0, namedDifferencesMax).join('\n')
		throw new AssertionError({ message: `${differences.length} differences between node and haven:\n${named}` })
	}
	return compared
}

/** As assertMirrored, but hands back what differs, of those snapshots alone that `wanted` asks for. */
export function compareMirror(
	tree: Tree,
	haven: string,
	wanted: (snapshot: SnapshotId) => boolean = () => true,
): { compared: Compared; differences: string[] } {
	const compared = { snapshots: 0, files: 0 }
	const differences: string[] = []
	for (const { folder, tag, files } of snapshotsOf(tree).filter(({ id }) => wanted(id))) {
		const place = join(haven, 'data', tree.keyspace, folder, 'snapshots', tag)
		const mirrored = new Map(filesIn(place).map((path) => [relative(place, path), path]))
		compared.snapshots++
		for (const [name, path] of files) {
			const copy = mirrored.get(name)
			mirrored.delete(name)
			compared.files++
			if (copy === undefined) differences.push(`missing in the haven: ${join(place, name)}`)
			else if (!readFileSync(path).equals(readFileSync(copy)))
				differences.push(`other bytes: ${copy}, on the node ${path}`)
		}
		for (const path of mirrored.values()) differences.push(`not on the node: ${path}`)
	}
	return { compared, differences }
}

/** One snapshot's name in a list: `keyspace/table/tag`. */
export type SnapshotId = string

/** Each snapshot on the node's disk: its files by their path inside it, over all data directories. */
export function snapshotsOf(tree: Tree): { id: SnapshotId; folder: string; tag: string; files: Map<string, string> }[] {
	return tree.folders.flatMap((folder) => {
		const tags = new Map<string, Map<string, string>>()
		for (const directory of tree.dataDirectories) {
			const snapshots = join(directory, tree.keyspace, folder, 'snapshots')
			for (const tag of existsSync(snapshots) ? readdirSync(snapshots) : []) {
				const files = tags.get(tag) ?? new Map<string, string>()
				tags.set(tag, files)
				const place = join(snapshots, tag)
				for (const path of filesIn(place)) files.set(relative(place, path), path)
			}
		}
		return [...tags].map(([tag, files]) => ({ id: `${tree.keyspace}/${folder}/${tag}`, folder, tag, files }))
	})
}

function filesIn(folder: string): string[] {
	if (!existsSync(folder)) return []
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => !entry.isDirectory())
		.map((entry) => join(entry.parentPath, entry.name))
}
