import { join } from 'node:path'
import { execa } from 'execa'
import { assertMirrored } from '../test/support/mirrored.ts'
import { mountNas, nasfsMissing } from '../test/support/nasfs.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const bandwidthMBs = 100
/** Three SSTables of 400 MB, a hundred of 7 MB and a hundred of 40 kB: 2 GB; or a few MB to see that it works. */
const sizes = {
	full: [
		{ tables: 3, sstables: 1, dataBytes: 400e6 },
		{ tables: 10, sstables: 10, dataBytes: 7e6 },
		{ tables: 10, sstables: 10, dataBytes: 40e3 },
	],
	smoke: [{ tables: 1, sstables: 2, dataBytes: 10e6 }],
}

export const nasLine: Scenario = {
	name: 'nas-line',
	title: '2 GB in files of all sizes, onto a mount with 1 ms an operation and 100 MB/s',
	missing: () => placesMissing() ?? nasfsMissing(),
	run: (scale) =>
		onTmpfs(6144, async (place) => {
			const trees = sizes[scale].map((size, number) => {
				const tree = makeTree(join(place, 'node'), { ...size, keyspace: `ks${number}` })
				takeSnapshot(tree, 'daily')
				removeLive(tree)
				return tree
			})
			const [first] = trees
			if (first === undefined) throw new Error('no sizes')
			const nas = await mountNas({ backing: join(place, 'backing'), latencyMs: 1, bandwidthMBs, faultless: true })
			try {
				const command = [...syncCommand(first, nas.path), ...trees.slice(1).map(({ keyspace }) => keyspace)]
				const seconds = await secondsOf(command)
				for (const tree of trees) assertMirrored(tree, havenIn(nas.backing))
				const { stdout } = await execa('du', ['-s', '--apparent-size', '--block-size=1', join(place, 'node')])
				const least = Number.parseInt(stdout, 10) / (bandwidthMBs * 1e6)
				return [
					{ what: 'what the line takes for the bytes', value: least, unit: 's' },
					{ what: 'snaphaven', value: seconds, unit: 's' },
					{ what: 'snaphaven / line', value: seconds / least, unit: '×', atMost: 1.053 },
				]
			} finally {
				await nas.unmount()
			}
		}),
}
