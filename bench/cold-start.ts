import { join } from 'node:path'
import { execa } from 'execa'
import { cliFile, nodeBinary } from '../test/support/cli.ts'
import { makeTree, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
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
			const times = await medians({
				rounds: rounds[scale],
				withTarget: (use) => use(place),
				contenders: [
					{ name: 'node -e 0', command: () => [nodeBinary, '-e', '0'] },
					{ name: '--version', command: () => [nodeBinary, cliFile, '--version'] },
					{ name: 'list', command: () => [nodeBinary, cliFile, ...list] },
				],
			})
			const ratio = (name: string) => (times.get(name) ?? Number.NaN) / (times.get('node -e 0') ?? Number.NaN)
			return [
				...[...times].map(([what, value]) => ({ what, value, unit: 's' as const })),
				{ what: '--version / node -e 0', value: ratio('--version'), unit: '×', atMost: 2.5 },
				{ what: 'list / node -e 0', value: ratio('list'), unit: '×', atMost: 5 },
			]
		}),
}
