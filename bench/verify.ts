import { join } from 'node:path'
import { cliFile, nodeBinary } from '../test/support/cli.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians, secondsOf } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 7, smoke: 1 }
const shapes = {
	'8,000 small files': { tables: 50, sstables: 20, dataBytes: 4000 },
	'1.6 GB in 4,000 files': { tables: 50, sstables: 10, dataBytes: 3_000_000 },
}

export const verify: Scenario = {
	name: 'verify',
	title: 'sealed snapshots on tmpfs: verify beside a loop on one core that only reads the files and computes CRC-32',
	missing: placesMissing,
	run: async (scale) => {
		const figures: Figure[] = []
		for (const [name, shape] of Object.entries(shapes)) {
			const own = await measure({ ...shape, tables: scale === 'smoke' ? 2 : shape.tables }, scale)
			figures.push(...own.map((figure) => ({ ...figure, what: `${figure.what}, ${name}` })))
		}
		return figures
	},
}

function measure(shape: { tables: number; sstables: number; dataBytes: number }, scale: Scale): Promise<Figure[]> {
	return onTmpfs(5120, async (place) => {
		const tree = makeTree(join(place, 'node'), shape)
		takeSnapshot(tree, 'daily')
		await secondsOf(syncCommand(tree, place))
		removeLive(tree)
		const haven = havenIn(place)
		const state = ['--state-dir', join(place, 'state')]
		const costs = await medians({
			rounds: rounds[scale],
			// Nothing is written: all read the same.
			withTarget: (use) => use(haven),
			contenders: [
				{
					name: 'loop',
					command: () => [nodeBinary, join(import.meta.dirname, 'support/crc-loop.ts'), join(haven, 'data')],
				},
				{
					name: 'snaphaven',
					command: () => [nodeBinary, cliFile, 'verify', '-q', '-s', haven, '-d', tree.root, ...state],
				},
			],
		})
		return compared(costs, { loop: 1.25 })
	})
}
