import { readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { assertSealed, forget, makeLargeTree } from './support/large-tree.ts'
import { disksMissing, onDisk, roomMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const sizes = { full: { megabytes: 8192, rounds: 3 }, smoke: { megabytes: 16, rounds: 1 } }
const goals = { 'cat FILE > /dev/null': 1.15 }

/** What shares the node's blocks is read once all the same, for its CRC-32: that is all that it should cost. */
export const largeFileShared: Scenario = {
	name: 'large-file-shared',
	title:
		'one Data.db of 8 GiB that no cache holds, on an XFS of its own on the machine’s disk, and the haven on the same: reflinked, hard-linked, and read once',
	missing: (scale) => disksMissing() ?? roomMissing(1.25 * sizes[scale].megabytes),
	run: (scale) => {
		const { megabytes, rounds } = sizes[scale]
		return onDisk('xfs', megabytes + 512, (place) => compareReads(place, megabytes, rounds), { uncached: true })
	},
}

function dataFilesIn(folder: string): string[] {
	const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
	return names.filter((name) => name.endsWith('-Data.db')).map((name) => join(folder, name))
}

async function compareReads(place: string, megabytes: number, rounds: number): Promise<Figure[]> {
	const { tree, data, crc } = makeLargeTree(join(place, 'node'), megabytes)
	const warmer = join(place, 'warmer')
	await execa('cp', ['--reflink=always', data, warmer])
	let number = 0
	const check = (target: string) => assertSealed(havenIn(target), crc)
	const costs = await medians({
		rounds,
		withTarget: async (use) => {
			const target = join(place, `target-${number++}`)
			await mkdir(target)
			// A virtual machine's memory is slow to use after a while: more than is needed is used just before.
			await execa('cat', [data, warmer], { stdout: 'ignore' })
			for (const one of [data, warmer]) await forget(one)
			await use(target)
			// A reflinked copy is cached by itself.
			for (const copy of dataFilesIn(target)) await forget(copy)
		},
		contenders: [
			{ name: 'cat FILE > /dev/null', command: () => ['cat', data] },
			{ name: 'snaphaven, by reflink', command: (target) => syncCommand(tree, target), check },
			{ name: 'snaphaven --hardlink', command: (target) => [...syncCommand(tree, target), '--hardlink'], check },
		],
	})
	return compared(costs, goals)
}
