import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { flushTables, makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { syncCommand } from './support/snaphaven.ts'

/** SSTables of each of ten tables: what a pass calls once for all is the same in both, and falls out of the difference. */
const sstables = { full: [20, 100], smoke: [2, 4] } as const
const tables = 10
/** What is called less often than by every twentieth file is in the sum alone. */
const shownFrom = 0.05

type Counts = Map<string, number>

/** System calls for each file, by strace: of a first snapshot, of a second one with the same files, and of cp. */
export const calls: Scenario = {
	name: 'calls',
	title: 'system calls a file, of all threads: by how much 8,000 files take more than 1,600',
	missing: () =>
		placesMissing() ?? (execaSync('strace', ['-V'], { reject: false }).exitCode === 0 ? undefined : 'needs strace'),
	run: async (scale) => {
		const [few, many] = [await countAll(sstables[scale][0], scale), await countAll(sstables[scale][1], scale)]
		return [...many].flatMap(([what, { files, counts }]) => {
			const less = few.get(what)
			return less ? figuresOf(what, counts, less.counts, files - less.files) : []
		})
	},
}

interface Counted {
	files: number
	counts: Counts
}

async function countAll(sstablesEach: number, scale: Scale): Promise<Map<string, Counted>> {
	return await onTmpfs(2048, async (place) => {
		const tree = makeTree(join(place, 'node'), { tables: scale === 'smoke' ? 2 : tables, sstables: sstablesEach })
		const files = tree.folders.length * sstablesEach * 8
		const counted = new Map<string, Counted>()
		const count = async (what: string, command: string[]) => {
			counted.set(what, { files, counts: await countCalls(command, join(place, 'counts')) })
		}
		await count('cp -a', ['cp', '-a', join(tree.root, 'data', tree.keyspace), join(place, 'copy')])
		takeSnapshot(tree, 'monday')
		await count('a first snapshot', syncCommand(tree, place))
		await count('nothing new', syncCommand(tree, place))
		flushTables(tree)
		takeSnapshot(tree, 'tuesday')
		removeLive(tree)
		await count('a second snapshot of the same', syncCommand(tree, place))
		return counted
	})
}

/** How often a command and all that it starts make each call. */
async function countCalls(command: string[], told: string): Promise<Counts> {
	await execa('strace', ['-f', '-c', '-qq', '-U', 'calls,name', '-o', told, ...command])
	const lines = readFileSync(told, 'utf8').matchAll(/^ *(\d+) +(\w+)$/gm)
	return new Map(
		[...lines].map(([, number, name]) => [name ?? '', Number(number)] as const).filter(([name]) => name !== 'total'),
	)
}

function figuresOf(what: string, more: Counts, less: Counts, files: number): Figure[] {
	const each = [...more].map(([name, count]) => ({ name, count: (count - (less.get(name) ?? 0)) / files }))
	const frequent = each.filter(({ count }) => count >= shownFrom).sort((a, b) => b.count - a.count)
	return [
		{ what: `${what}: all`, value: each.reduce((sum, { count }) => sum + count, 0), unit: 'calls' },
		...frequent.map(({ name, count }): Figure => ({ what: `${what}: ${name}`, value: count, unit: 'calls' })),
	]
}
