import { join } from 'node:path'
import { makeTree } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { secondSnapshots } from './support/second-snapshots.ts'
import { atEachSize, type Size } from './support/sizes.ts'
import { compared } from './support/snaphaven.ts'

export const secondSnapshot: Scenario = {
	name: 'second-snapshot',
	title: 'small files, 160 in a snapshot, of which 152 were in the one before, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) => atEachSize(scale, measure),
}

function measure({ files, tables, rounds, megabytes }: Size): Promise<Figure[]> {
	return onTmpfs(4 * megabytes, async (place) => {
		const tree = makeTree(join(place, 'node'), { tables, sstables: 19 })
		const work = secondSnapshots(tree, place, (from, to) => ['rsync', '-a', `${from}/`, to])
		const costs = await preparedMedians({ rounds, place, ...work })
		const named = new Map([...costs].map(([name, cost]) => [`${name}, ${files}`, cost]))
		return compared(named, { [`rsync -a --link-dest, ${files}`]: 0.5 })
	})
}
