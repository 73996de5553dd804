import { assertMirrored } from '../test/support/mirrored.ts'
import { flushed } from './support/cost.ts'
import { disksMissing, onDisk } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { atEachSize, type Size } from './support/sizes.ts'
import { onSmallTree } from './support/small-tree.ts'
import { compared, flushingEach, havenIn, syncCommand } from './support/snaphaven.ts'

export const durable: Scenario = {
	name: 'durable',
	title: 'small files, 160 in a snapshot, from tmpfs to ext4 and to xfs on the machine’s disk, flushed',
	missing: disksMissing,
	run: (scale) => atEachSize(scale, measure),
}

function measure(size: Size): Promise<Figure[]> {
	const { files, rounds, megabytes } = size
	return onSmallTree(size, async (tree, keyspace) => {
		const figures: Figure[] = []
		for (const fileSystem of ['ext4', 'xfs'] as const) {
			const base = `cp -a; sync -f, ${files}, ${fileSystem}`
			const costs = await medians({
				rounds,
				withTarget: (use) => onDisk(fileSystem, megabytes, use),
				contenders: [
					{ name: base, command: (target) => flushed(target, ['cp', '-a', keyspace, target]) },
					{
						name: `snaphaven, ${files}, ${fileSystem}`,
						command: (target) => syncCommand(tree, target),
						check: (target) => assertMirrored(tree, havenIn(target)),
					},
					{
						name: `fsync of each: snaphaven, ${files}, ${fileSystem}`,
						command: (target) => flushingEach(syncCommand(tree, target)),
						check: (target) => assertMirrored(tree, havenIn(target)),
						roundsMax: 1,
					},
				],
			})
			figures.push(...compared(costs, { [base]: 1.2 }))
		}
		return figures
	})
}
