import { join } from 'node:path'
import { makeTree, takeSnapshot } from '../test/support/tree.ts'
import { measuredPass } from './support/measured-pass.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { syncCommand } from './support/snaphaven.ts'

const tables = { full: 100, smoke: 2 }
const tags = { full: 200, smoke: 3 }

export const millionFiles: Scenario = {
	name: 'million-files',
	title: '1,000,000 files in 20,000 snapshots of 100 tables: memory of the first pass, and a further one',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(4096, (source) =>
			onTmpfs(4096, async (target) => {
				const tree = makeTree(join(source, 'node'), { tables: tables[scale], sstables: 6, dataBytes: 400 })
				for (let number = 0; number < tags[scale]; number++) takeSnapshot(tree, `daily-${number}`)
				const { seconds, peakMB } = await measuredPass(tree, target)
				return [
					{ what: 'all tags at once', value: seconds, unit: 's' },
					{ what: 'peak memory', value: peakMB, unit: 'MB', atMost: 250 },
					{ what: 'a further pass', value: await secondsOf(syncCommand(tree, target)), unit: 's' },
				]
			}),
		),
}
