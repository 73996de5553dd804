import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 7, smoke: 1 }
const tables = { full: 50, smoke: 3 }

export const smallFiles: Scenario = {
	name: 'small-files',
	title: '8,000 files of at most 4,000 bytes in 50 snapshots, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(512, async (source) => {
			const tree = makeTree(join(source, 'node'), { tables: tables[scale], sstables: 20 })
			takeSnapshot(tree, 'daily')
			removeLive(tree)
			const keyspace = join(tree.root, 'data', tree.keyspace)
			const times = await medians({
				rounds: rounds[scale],
				withTarget: (use) => onTmpfs(512, use),
				contenders: [
					{ name: 'cp -a', command: (target) => ['cp', '-a', keyspace, target] },
					{ name: 'rsync -a', command: (target) => ['rsync', '-a', keyspace, target] },
					{
						name: 'snaphaven',
						command: (target) => syncCommand(tree, target),
						check: (target) => assertMirrored(tree, havenIn(target)),
					},
				],
			})
			return compared(times, 2)
		}),
}
