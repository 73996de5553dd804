import { join } from 'node:path'
import { mountNas, nasfsMissing } from '../test/support/nasfs.ts'
import { makeTree } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Scenario } from './support/scenario.ts'
import { secondSnapshots } from './support/second-snapshots.ts'
import { compared } from './support/snaphaven.ts'

const tables = { full: 25, smoke: 2 }

/** One round: rsync takes half a minute. Its first copy is made by cp, which is three times as quick here. */
export const slowSecond: Scenario = {
	name: 'slow-second',
	title: '2,000 small files of which 1,900 were in the snapshots before, onto a mount with 1 ms an operation',
	missing: () => placesMissing() ?? nasfsMissing(),
	run: (scale) =>
		onTmpfs(4096, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: tables[scale], sstables: 9 })
			const nas = await mountNas({ backing: join(place, 'backing'), latencyMs: 1, faultless: true })
			try {
				const work = secondSnapshots(tree, place, (from, to) => ['cp', '-a', from, to])
				return compared(await preparedMedians({ rounds: 1, place: nas.path, ...work }), {
					'rsync -a --link-dest': 0.05,
				})
			} finally {
				await nas.unmount()
			}
		}),
}
