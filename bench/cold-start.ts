import { join } from 'node:path'
import { execa } from 'execa'
import { cliFile, nodeBinary } from '../test/support/cli.ts'
import { makeTree, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 21, smoke: 1 }

export const coldStart: Scenario = {
	name: 'cold-start',
	title: 'snaphaven --version, and list on a haven of four snapshots, beside node -e 0',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(64, async (place) => {
			const tree = makeTree(join(place, 'node'))
			for (const tag of ['first', 'second']) takeSnapshot(tree, tag)
			const [file = '', ...words] = syncCommand(tree, place)
			await execa(file, words)
			const list = ['list', '-s', havenIn(place), '--state-dir', join(place, 'state')]
			const costs = await medians({
				rounds: rounds[scale],
				withTarget: (use) => use(place),
				contenders: [
					{ name: 'node -e 0', command: () => [nodeBinary, '-e', '0'] },
					{ name: '--version', command: () => [nodeBinary, cliFile, '--version'] },
					{ name: 'list', command: () => [nodeBinary, cliFile, ...list] },
				],
			})
			const seconds = (name: string) => costs.get(name)?.seconds ?? Number.NaN
			const ratio = (name: string) => seconds(name) / seconds('node -e 0')
			return [
				...[...costs].map(([what, { seconds: value, ...cost }]): Figure => ({ what, value, unit: 's', cost })),
				{ what: '--version / node -e 0', value: ratio('--version'), unit: '×', atMost: 2.5 },
				{ what: 'list / node -e 0', value: ratio('list'), unit: '×', atMost: 5 },
			]
		}),
}
