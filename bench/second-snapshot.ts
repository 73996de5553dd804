import { join } from 'node:path'
import { makeTree } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Scenario } from './support/scenario.ts'
import { secondSnapshots } from './support/second-snapshots.ts'
import { compared } from './support/snaphaven.ts'

const rounds = { full: 7, smoke: 1 }
const tables = { full: 50, smoke: 3 }

export const secondSnapshot: Scenario = {
	name: 'second-snapshot',
	title: '8,000 small files of which 7,600 were in the snapshots before, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(2048, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: tables[scale], sstables: 19 })
			const work = secondSnapshots(tree, place, (from, to) => ['rsync', '-a', `${from}/`, to])
			return compared(await preparedMedians({ rounds: rounds[scale], place, ...work }), 0.5)
		}),
}
