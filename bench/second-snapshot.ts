import { join } from 'node:path'
import { makeTree } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { secondSnapshots } from './support/second-snapshots.ts'
import { compared } from './support/snaphaven.ts'

/** Ten times as many show what it takes where the start of a process no longer counts. */
const sizes = {
	full: [
		{ files: '8,000 files', tables: 50, rounds: 7, megabytes: 2048 },
		{ files: '80,000 files', tables: 500, rounds: 3, megabytes: 8192 },
	],
	smoke: [{ files: '480 files', tables: 3, rounds: 1, megabytes: 2048 }],
}

export const secondSnapshot: Scenario = {
	name: 'second-snapshot',
	title: 'small files, 160 in a snapshot, of which 152 were in the one before, from tmpfs to tmpfs',
	missing: placesMissing,
	run: async (scale) => {
		const figures: Figure[] = []
		for (const size of sizes[scale]) figures.push(...(await measure(size)))
		return figures
	},
}

function measure({ files, tables, rounds, megabytes }: (typeof sizes)['full'][number]): Promise<Figure[]> {
	return onTmpfs(megabytes, async (place) => {
		const tree = makeTree(join(place, 'node'), { tables, sstables: 19 })
		const work = secondSnapshots(tree, place, (from, to) => ['rsync', '-a', `${from}/`, to])
		const costs = await preparedMedians({ rounds, place, ...work })
		const named = new Map([...costs].map(([name, cost]) => [`${name}, ${files}`, cost]))
		return compared(named, { [`rsync -a --link-dest, ${files}`]: 0.5 })
	})
}
