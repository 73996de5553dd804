import { assertMirrored } from '../test/support/mirrored.ts'
import { flushed } from './support/cost.ts'
import { onWarmTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { atEachSize, type Size } from './support/sizes.ts'
import { onSmallTree } from './support/small-tree.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

export const smallFiles: Scenario = {
	name: 'small-files',
	title: 'files of at most 4,000 bytes, 160 in a snapshot, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) => atEachSize(scale, measure),
}

function measure(size: Size): Promise<Figure[]> {
	const { files, rounds, megabytes } = size
	return onSmallTree(size, async (tree, keyspace) => {
		const costs = await medians({
			rounds,
			withTarget: (use) => onWarmTmpfs(megabytes, megabytes / 4, use),
			contenders: [
				{ name: `cp -a, ${files}`, command: (target) => flushed(target, ['cp', '-a', keyspace, target]) },
				{ name: `rsync -a, ${files}`, command: (target) => flushed(target, ['rsync', '-a', keyspace, target]) },
				{
					name: `snaphaven, ${files}`,
					command: (target) => syncCommand(tree, target),
					check: (target) => assertMirrored(tree, havenIn(target)),
				},
			],
		})
		return compared(costs, { [`cp -a, ${files}`]: 1.3, [`rsync -a, ${files}`]: 0.8 })
	})
}
