import { linkSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Tree } from '../../support/tree.ts'

/**
 * The same node in another place, its files linked, without those files and folders that are gone: their paths below the
 * root. Its folders are as old, so that nothing is waited for.
 */
export function copyNode(node: Tree, root: string, gone: ReadonlySet<string>): Tree {
	const copy = (inner: string) => {
		const from = join(node.root, inner)
		mkdirSync(join(root, inner), { recursive: true })
		for (const entry of readdirSync(from, { withFileTypes: true })) {
			const path = join(inner, entry.name)
			if (gone.has(path)) continue
			if (entry.isDirectory()) copy(path)
			else linkSync(join(node.root, path), join(root, path))
		}
		const { mtime } = statSync(from)
		utimesSync(join(root, inner), mtime, mtime)
	}
	copy('')
	return movedTo(node, root)
}

/** A node with the same tables, in which nothing is. */
export function emptyNode(node: Tree, root: string): Tree {
	const empty = movedTo(node, root)
	for (const directory of empty.dataDirectories)
		for (const folder of node.folders) mkdirSync(join(directory, node.keyspace, folder), { recursive: true })
	return empty
}

/** The same node, which lies in another place by now. */
export function movedTo(node: Tree, root: string): Tree {
	const moved = (path: string) => (path.startsWith(node.root) ? root + path.slice(node.root.length) : path)
	return { ...node, root, dataDirectories: node.dataDirectories.map(moved), flags: node.flags.map(moved) }
}
