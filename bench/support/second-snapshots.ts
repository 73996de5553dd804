import { join } from 'node:path'
import { assertMirrored } from '../../test/support/mirrored.ts'
import { flushTables, removeLive, type Tree, takeSnapshot } from '../../test/support/tree.ts'
import { flushed } from './cost.ts'
import { layOut } from './lay-out.ts'
import type { PreparedRounds } from './prepared.ts'
import { havenIn, syncCommand } from './snaphaven.ts'

/**
 * rsync and snaphaven, each with a first snapshot of the tree, and then an SSTable more in each table and a second one.
 * What rsync gets is laid out for it below `place`. `copy` makes its first one.
 */
export function secondSnapshots(
	tree: Tree,
	place: string,
	copy: (from: string, to: string) => string[],
): Pick<PreparedRounds, 'contenders' | 'change'> {
	const root = join(place, 'for-rsync')
	takeSnapshot(tree, 'monday')
	const monday = layOut(tree, 'monday', root)
	return {
		contenders: [
			{
				name: 'rsync -a --link-dest',
				prepare: (target) => copy(monday, join(target, 'monday')),
				command: (target) => {
					const before = `--link-dest=${join(target, 'monday')}`
					return flushed(target, ['rsync', '-a', before, `${join(root, 'tuesday')}/`, join(target, 'tuesday')])
				},
			},
			{
				name: 'snaphaven',
				prepare: (target) => syncCommand(tree, target),
				command: (target) => syncCommand(tree, target),
				check: (target) => assertMirrored(tree, havenIn(target)),
			},
		],
		change: () => {
			flushTables(tree)
			takeSnapshot(tree, 'tuesday')
			layOut(tree, 'tuesday', root)
			removeLive(tree)
		},
	}
}
