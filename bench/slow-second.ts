import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { mountNas, nasfsMissing } from '../test/support/nasfs.ts'
import { flushTables, makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { layOut } from './support/lay-out.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const tables = { full: 25, smoke: 2 }

/** One round: rsync takes a minute and more. Laid out for it as in second-snapshot. */
export const slowSecond: Scenario = {
	name: 'slow-second',
	title: '2,000 small files of which 1,900 were in the snapshots before, onto a mount with 1 ms an operation',
	missing: () => placesMissing() ?? nasfsMissing(),
	run: (scale) =>
		onTmpfs(4096, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: tables[scale], sstables: 9 })
			takeSnapshot(tree, 'monday')
			const monday = layOut(tree, 'monday', join(place, 'for-rsync'))
			const tuesday = join(place, 'for-rsync/tuesday')
			const nas = await mountNas({ backing: join(place, 'backing'), latencyMs: 1, faultless: true })
			try {
				const times = await preparedMedians({
					rounds: 1,
					place: nas.path,
					contenders: [
						{
							name: 'rsync -a --link-dest',
							prepare: (target) => ['cp', '-a', monday, join(target, 'monday')],
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
				return compared(times, 0.05)
			} finally {
				await nas.unmount()
			}
		}),
}
