import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { linkTree, type Tree, takeSnapshot } from '../support/tree.ts'

/** A node, and beside it a tree that keeps every snapshot that was ever taken there, out of the command's reach. */
export interface Witness {
	node: Tree
	kept: Tree
	/** Takes a snapshot on the node, as Cassandra does: links, then manifest.json, then schema.cql, a table after the other. */
	take: (tag: string, folders?: string[]) => void
}

/** Begins to witness; `node` has no snapshot yet. */
export async function witness(node: Tree, root: string): Promise<Witness> {
	const kept = await linkTree(node, root)
	const take: Witness['take'] = (tag, folders = node.folders) => {
		takeSnapshot(kept, tag, { folders })
		for (const folder of folders) replay(kept, node, folder, tag)
	}
	return { node, kept, take }
}

function replay(from: Tree, to: Tree, folder: string, tag: string): void {
	const written: (() => void)[] = []
	for (const [index, directory] of from.dataDirectories.entries()) {
		const source = join(directory, from.keyspace, folder, 'snapshots', tag)
		const target = join(to.dataDirectories[index] ?? '', to.keyspace, folder, 'snapshots', tag)
		mkdirSync(target, { recursive: true })
		for (const name of readdirSync(source)) {
			const [here, there] = [join(source, name), join(target, name)]
			if (dirname(name) !== '.' || name.startsWith('nb-')) linkSync(here, there)
			else written.push(() => copyFileSync(here, there))
		}
	}
	for (const write of written) write()
}
