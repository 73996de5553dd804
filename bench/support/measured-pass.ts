import { assertMirrored } from '../../test/support/mirrored.ts'
import type { Tree } from '../../test/support/tree.ts'
import { type Cost, costOf } from './cost.ts'
import { havenIn, syncCommand } from './snaphaven.ts'

/** A pass over a tree, and what it took. */
export async function measuredPass(tree: Tree, target: string): Promise<Cost> {
	const cost = await costOf(syncCommand(tree, target), target)
	assertMirrored(tree, havenIn(target))
	return cost
}
