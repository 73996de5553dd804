import { join } from 'node:path'
import { execa } from 'execa'
import { assertMirrored } from '../test/support/mirrored.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const MIB = 1024 * 1024
const rateMiB = 5
const dataBytes = { full: 20_000_000, smoke: 100_000 }

export const limitRate: Scenario = {
	name: 'limit-rate',
	title: '330 MB at --limit-rate 5M, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(1024, async (place) => {
			const tree = makeTree(join(place, 'node'), { tables: 3, sstables: 5, dataBytes: dataBytes[scale] })
			takeSnapshot(tree, 'daily')
			removeLive(tree)
			const seconds = await secondsOf([...syncCommand(tree, place), '--limit-rate', `${rateMiB}M`])
			assertMirrored(tree, havenIn(place))
			const { stdout } = await execa('du', ['-s', '--apparent-size', '--block-size=1', tree.root])
			const least = Number.parseInt(stdout, 10) / (rateMiB * MIB)
			return [
				{ what: 'at that rate', value: least, unit: 's' },
				{ what: 'snaphaven', value: seconds, unit: 's' },
				{ what: 'snaphaven / at that rate', value: seconds / least, unit: '×', atMost: 1.05 },
				{ what: 'at that rate / snaphaven', value: least / seconds, unit: '×', atMost: 1.05 },
			]
		}),
}
