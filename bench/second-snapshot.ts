import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { flushTables, makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { layOut } from './support/lay-out.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 7, smoke: 1 }
const tables = { full: 50, smoke: 3 }

/** What rsync gets is laid out for it. */
export const secondSnapshot: Scenario = {
	name: 'second-snapshot',
	title: '8,000 small files of which 7,600 were in the snapshots before, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(2048, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: tables[scale], sstables: 19 })
			takeSnapshot(tree, 'monday')
			const monday = layOut(tree, 'monday', join(place, 'for-rsync'))
			const tuesday = join(place, 'for-rsync/tuesday')
			const times = await preparedMedians({
				rounds: rounds[scale],
				place,
				contenders: [
					{
						name: 'rsync -a --link-dest',
						prepare: (target) => ['rsync', '-a', `${monday}/`, join(target, 'monday')],
						command: (target) => {
							const before = `--link-dest=${join(target, 'monday')}`
							return ['rsync', '-a', before, `${tuesday}/`, join(target, 'tuesday')]
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
					layOut(tree, 'tuesday', join(place, 'for-rsync'))
					removeLive(tree)
				},
			})
			return compared(times, 0.5)
		}),
}
