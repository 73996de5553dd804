import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { assertMirrored } from '../test/support/mirrored.ts'
import { flushTables, makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import type { Cost } from './support/cost.ts'
import { onTmpfs, onWarmTmpfs, placesMissing } from './support/places.ts'
import { preparedMedians } from './support/prepared.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { atEachSize, type Size } from './support/sizes.ts'
import { onSmallTree } from './support/small-tree.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

export const limit: Scenario = {
	name: 'limit',
	title:
		'the same as small-files and second-snapshot, beside a C program that makes the system calls of each file and little else',
	missing: () => placesMissing() ?? compilerMissing(),
	run: async (scale) => [...(await atEachSize(scale, first)), ...(await atEachSize(scale, second))],
}

const SOURCE = join(import.meta.dirname, 'support/calls-alone.c')

function compilerMissing(): string | undefined {
	const { exitCode } = execaSync('cc', ['-fsyntax-only', SOURCE], { reject: false })
	return exitCode === 0 ? undefined : 'needs a C compiler, and zlib’s header'
}

async function compiled(place: string): Promise<string> {
	const program = join(place, 'calls-alone')
	await execa('cc', ['-O2', '-o', program, SOURCE, '-lz', '-lpthread'])
	return program
}

function first(size: Size): Promise<Figure[]> {
	const { rounds, megabytes } = size
	return onSmallTree(size, async (tree, keyspace) => {
		const program = await compiled(tree.root)
		const costs = await medians({
			rounds,
			withTarget: (use) => onWarmTmpfs(megabytes, megabytes / 4, use),
			contenders: [
				{ name: CALLS, command: (target) => [program, keyspace, target, 'daily'] },
				{
					name: SNAPHAVEN,
					command: (target) => syncCommand(tree, target),
					check: (target) => assertMirrored(tree, havenIn(target)),
				},
			],
		})
		return named('first', size, costs)
	})
}

function second(size: Size): Promise<Figure[]> {
	const { tables, rounds, megabytes } = size
	return onTmpfs(4 * megabytes, async (place) => {
		const program = await compiled(place)
		const tree = makeTree(join(place, 'node'), { tables, sstables: 19 })
		takeSnapshot(tree, 'monday')
		const keyspace = join(tree.root, 'data', tree.keyspace)
		const sync = (target: string) => syncCommand(tree, target)
		const costs = await preparedMedians({
			rounds,
			place,
			contenders: [
				{
					name: CALLS,
					prepare: (target) => [program, keyspace, target, 'monday'],
					command: (target) => [program, keyspace, target, 'tuesday', 'monday'],
				},
				{ name: SNAPHAVEN, prepare: sync, command: sync, check: (target) => assertMirrored(tree, havenIn(target)) },
			],
			change: () => {
				flushTables(tree)
				takeSnapshot(tree, 'tuesday')
				removeLive(tree)
			},
		})
		return named('second', size, costs)
	})
}

const CALLS = 'the calls alone'
const SNAPHAVEN = 'snaphaven'

function named(which: string, { files }: Size, costs: Map<string, Cost>): Figure[] {
	const name = (one: string) => `${one}, ${which}, ${files}`
	const seconds = (one: string) => costs.get(one)?.seconds ?? Number.NaN
	return [
		...compared(new Map([...costs].map(([one, cost]) => [name(one), cost])), {}),
		{ what: `${name(SNAPHAVEN)} / ${name(CALLS)}`, value: seconds(SNAPHAVEN) / seconds(CALLS), unit: '×' },
	]
}
