import { linkSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Tree, tagFolders } from '../../test/support/tree.ts'

/**
 * The files of a tag's snapshots once more, as links: `<root>/<tag>/<table>/…`. So rsync's `--link-dest` finds the tag
 * before: on the node the tag is part of each path, and a run for each table would be needed.
 */
export function layOut(tree: Tree, tag: string, root: string): string {
	for (const { folder, path } of tagFolders(tree, tag)) {
		mkdirSync(join(root, tag, folder), { recursive: true })
		for (const name of readdirSync(path)) linkSync(join(path, name), join(root, tag, folder, name))
	}
	return join(root, tag)
}
