import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { flushed } from './support/cost.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 5, smoke: 1 }
const tables = { full: 500, smoke: 5 }

export const nothingNew: Scenario = {
	name: 'nothing-new',
	title: '147,000 files in 1,500 snapshots that are safe already, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(4096, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: tables[scale], sstables: 12 })
			for (const tag of ['first', 'second', 'third']) takeSnapshot(tree, tag)
			const keyspace = join(tree.root, 'data', tree.keyspace)
			removeLive(tree)
			const rsync = (target: string) => flushed(target, ['rsync', '-a', keyspace, target])
			const costs = await preparedMedians({
				rounds: rounds[scale],
				place,
				again: true,
				contenders: [
					{ name: 'rsync -a', prepare: rsync, command: rsync },
					{
						name: 'snaphaven',
						prepare: (target) => syncCommand(tree, target),
						command: (target) => syncCommand(tree, target),
						check: (target) => assertMirrored(tree, havenIn(target)),
					},
				],
			})
			return compared(costs, { 'rsync -a': 0.1 })
		}),
}
