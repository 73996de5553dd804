import { join } from 'node:path'
import { makeTree, removeLive, type Tree, takeSnapshot } from '../../test/support/tree.ts'
import { onTmpfs } from './places.ts'
import type { Size } from './sizes.ts'

/**
 * A node on a tmpfs with a snapshot of 160 small files in each table, of the tag `daily`, and no live SSTables, for as
 * long as `use` takes; `keyspace` is its keyspace's folder.
 */
export function onSmallTree<T>(
	{ tables, megabytes }: Pick<Size, 'tables' | 'megabytes'>,
	use: (tree: Tree, keyspace: string) => Promise<T>,
): Promise<T> {
	return onTmpfs(megabytes, async (place) => {
		const tree = makeTree(join(place, 'node'), { tables, sstables: 20 })
		takeSnapshot(tree, 'daily')
		removeLive(tree)
		return await use(tree, join(tree.root, 'data', tree.keyspace))
	})
}
