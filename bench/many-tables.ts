import { join } from 'node:path'
import { execa } from 'execa'
import { makeTree, type Tree, takeSnapshot } from '../test/support/tree.ts'
import { measuredPass } from './support/measured-pass.ts'
import { median } from './support/median.ts'
import { inFolder, onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const tables = { full: 500, smoke: 5 }
const furtherPasses = { full: 5, smoke: 1 }

/** The haven lies on the machine's disk, where folders and inodes take room as well. */
export const manyTables: Scenario = {
	name: 'many-tables',
	title: '500 tables of 12 SSTables, 3 tags of 49,000 files: memory, disk use, a pass that has nothing to do',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(1024, async (source) => {
			const tree = makeTree(join(source, 'node'), { tables: tables[scale], sstables: 12 })
			for (const tag of ['first', 'second']) takeSnapshot(tree, tag)
			const figures = await inFolder((target) => addThirdTag(tree, target, furtherPasses[scale]))
			const atOnce = await inFolder((target) => measuredPass(tree, target))
			return [
				...figures,
				{ what: 'all three tags at once', value: atOnce.seconds, unit: 's' },
				{ what: 'peak memory, three tags at once', value: atOnce.peakMB, unit: 'MB', atMost: 200 },
			]
		}),
}

async function addThirdTag(tree: Tree, target: string, passes: number): Promise<Figure[]> {
	const two = await measuredPass(tree, target)
	const before = await diskUse(target)
	takeSnapshot(tree, 'third')
	const third = await measuredPass(tree, target)
	const growth = (await diskUse(target)) / before - 1
	const further: number[] = []
	for (let pass = 0; pass < passes; pass++) further.push(await secondsOf(syncCommand(tree, target)))
	return [
		{ what: 'two tags at once', value: two.seconds, unit: 's' },
		{ what: 'peak memory, two tags at once', value: two.peakMB, unit: 'MB', atMost: 200 },
		{ what: 'the third tag', value: third.seconds, unit: 's' },
		{ what: 'peak memory, the third tag', value: third.peakMB, unit: 'MB', atMost: 200 },
		{ what: 'disk use grows with the third tag by', value: growth * 100, unit: '%', atMost: 8 },
		{ what: 'a further pass', value: median(further), unit: 's', atMost: 2 },
	]
}

/** Bytes on the disk, each inode once. */
async function diskUse(target: string): Promise<number> {
	const { stdout } = await execa('du', ['-s', '--block-size=1', havenIn(target)])
	return Number.parseInt(stdout, 10)
}
