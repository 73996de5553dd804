import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { mountNas, nasfsMissing } from '../test/support/nasfs.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { flushed } from './support/cost.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 3, smoke: 1 }
const tables = { full: 25, smoke: 2 }
/** As a NAS has it: where little is free, snapshots are gathered a few at a time. */
const ROOM_MB = 4096

export const slowMount: Scenario = {
	name: 'slow-mount',
	title: '2,000 files of at most 4,000 bytes in 25 snapshots, onto a mount with 1 ms an operation',
	missing: () => placesMissing() ?? nasfsMissing(),
	run: (scale) =>
		onTmpfs(256, async (source) => {
			const tree = makeTree(join(source, 'node'), { tables: tables[scale], sstables: 10 })
			takeSnapshot(tree, 'daily')
			removeLive(tree)
			const keyspace = join(tree.root, 'data', tree.keyspace)
			const costs = await medians({
				rounds: rounds[scale],
				withTarget: (use) => onTmpfs(ROOM_MB, (backing) => onSlowMount(backing, use)),
				contenders: [
					{ name: 'cp -a', command: (target) => flushed(target, ['cp', '-a', keyspace, target]) },
					{
						name: 'rsync -a',
						command: (target) => flushed(target, ['rsync', '-a', keyspace, target]),
						roundsMax: 1,
					},
					{
						name: 'snaphaven',
						command: (target) => syncCommand(tree, target),
						check: (target) => assertMirrored(tree, havenIn(target)),
					},
				],
			})
			return compared(costs, { 'cp -a': 0.15, 'rsync -a': 0.05 })
		}),
}

async function onSlowMount(backing: string, use: (target: string) => Promise<void>): Promise<void> {
	const nas = await mountNas({ backing, latencyMs: 1, faultless: true })
	try {
		await use(nas.path)
	} finally {
		await nas.unmount()
	}
}
