import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { filesPerSSTable, flushTables, makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { layOut } from './support/lay-out.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { syncCommand } from './support/snaphaven.ts'

/** Two trees each: what a pass calls once for all is the same in both, and falls out of the difference. */
const moreFiles = {
	full: [
		{ tables: 10, sstables: 20 },
		{ tables: 10, sstables: 100 },
	],
	smoke: [
		{ tables: 2, sstables: 2 },
		{ tables: 2, sstables: 4 },
	],
} as const
const moreTables = {
	full: [
		{ tables: 20, sstables: 1 },
		{ tables: 120, sstables: 1 },
	],
	smoke: [
		{ tables: 2, sstables: 1 },
		{ tables: 4, sstables: 1 },
	],
} as const
/** What is called less often than by every twentieth file is in the sum alone. */
const shownFrom = 0.05

type Counts = Map<string, number>

/** System calls, by strace: of a first snapshot, of a second one with the same files, and of cp. */
export const calls: Scenario = {
	name: 'calls',
	title:
		'system calls of all threads: a file, by how much 8,000 take more than 1,600 in as many snapshots; and a snapshot of ten files, by how much 120 tables take more than 20',
	missing: () =>
		placesMissing() ?? (execaSync('strace', ['-V'], { reject: false }).exitCode === 0 ? undefined : 'needs strace'),
	run: async (scale) => {
		const filesOf = ({ tables, sstables }: Form) => tables * sstables * filesPerSSTable
		const files = await countMore(moreFiles[scale], filesOf, (what) => `a file, ${what}`)
		const snapshots = await countMore(
			moreTables[scale],
			({ tables }) => tables,
			(what) => `a snapshot, ${what}`,
		)
		return [...files, ...snapshots]
	},
}

interface Form {
	tables: number
	sstables: number
}

/** By how much the larger one takes more, for each of what it has more. */
async function countMore(
	[small, large]: readonly [Form, Form],
	amountOf: (form: Form) => number,
	nameOf: (what: string) => string,
): Promise<Figure[]> {
	const [few, many] = [await countAll(small), await countAll(large)]
	const more = amountOf(large) - amountOf(small)
	return [...many].flatMap(([what, counts]) => figuresOf(nameOf(what), counts, few.get(what) ?? new Map(), more))
}

async function countAll(form: Form): Promise<Map<string, Counts>> {
	return await onTmpfs(2048, async (place) => {
		const tree = makeTree(join(place, 'node'), form)
		const counted = new Map<string, Counts>()
		const count = async (what: string, command: string[]) => {
			counted.set(what, await countCalls(command, join(place, 'counts')))
		}
		takeSnapshot(tree, 'monday')
		await count('cp -a', ['cp', '-a', layOut(tree, 'monday', join(place, 'for-cp')), join(place, 'copy')])
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

function figuresOf(what: string, more: Counts, less: Counts, amount: number): Figure[] {
	const each = [...more].map(([name, count]) => ({ name, count: (count - (less.get(name) ?? 0)) / amount }))
	const frequent = each.filter(({ count }) => count >= shownFrom).sort((a, b) => b.count - a.count)
	return [
		{ what: `${what}: all`, value: each.reduce((sum, { count }) => sum + count, 0), unit: 'calls' },
		...frequent.map(({ name, count }): Figure => ({ what: `${what}: ${name}`, value: count, unit: 'calls' })),
	]
}
