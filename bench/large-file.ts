import { join } from 'node:path'
import { flushed } from './support/cost.ts'
import { assertSealed, forget, makeLargeTree } from './support/large-tree.ts'
import { inFolder, onTmpfs, onWarmTmpfs, placesMissing, roomMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const inMemory = { full: { megabytes: 2048, rounds: 5 }, smoke: { megabytes: 16, rounds: 1 } }
const onDisk = { full: { megabytes: 8192, rounds: 3 }, smoke: { megabytes: 16, rounds: 1 } }

export const largeFile: Scenario = {
	name: 'large-file',
	title: 'one Data.db of 2 GiB, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) => {
		const { megabytes, rounds } = inMemory[scale]
		const withTarget: Place = (use) => onWarmTmpfs(2 * megabytes + 64, 2 * megabytes, use)
		return onTmpfs(megabytes + 64, (source) => compareCopies({ source, megabytes, rounds, withTarget }))
	},
}

export const largeFileOnDisk: Scenario = {
	name: 'large-file-disk',
	title: 'one Data.db of 8 GiB that no cache holds, from the machine’s disk to itself',
	missing: (scale) => placesMissing() ?? roomMissing(2.5 * onDisk[scale].megabytes),
	run: (scale) =>
		inFolder((source) => compareCopies({ source, ...onDisk[scale], withTarget: inFolder, fromDisk: true })),
}

type Place = <T>(use: (path: string) => Promise<T>) => Promise<T>

interface Copying {
	source: string
	megabytes: number
	rounds: number
	withTarget: Place
	fromDisk?: boolean
}

async function compareCopies({ source, megabytes, rounds, withTarget, fromDisk }: Copying): Promise<Figure[]> {
	const { tree, data, crc } = makeLargeTree(join(source, 'node'), megabytes)
	const costs = await medians({
		rounds,
		withTarget: async (use) => {
			if (fromDisk) await forget(data)
			await withTarget(use)
		},
		contenders: [
			{
				name: 'cp --reflink=never',
				command: (target) => flushed(target, ['cp', '--reflink=never', data, target]),
			},
			{ name: 'rsync -a', command: (target) => flushed(target, ['rsync', '-a', data, target]) },
			{
				name: 'snaphaven',
				command: (target) => syncCommand(tree, target),
				check: (target) => assertSealed(havenIn(target), crc),
			},
		],
	})
	return compared(costs, { 'cp --reflink=never': 1.15 })
}
