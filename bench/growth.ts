import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import {
	filesPerSSTable,
	makeTree,
	removeLive,
	type Tree,
	type TreeOptions,
	takeSnapshot,
} from '../test/support/tree.ts'
import { median } from './support/median.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const MB = 1_000_000
/** The largest is measured once: it takes long, and so little of chance. */
const rounds = { full: 3, smoke: 1 }

/** What grows, over three decades, while the rest stays. */
interface Axis {
	name: string
	title: string
	steps: number[]
	form: (amount: number) => TreeOptions
	/** Number of tags that are taken; default 1. */
	tags?: (amount: number) => number
}

const axes: Axis[] = [
	{
		name: 'files',
		title: 'files of at most 4,000 bytes in 10 snapshots',
		steps: [80, 800, 8000, 80_000],
		form: (files) => ({ tables: 10, sstables: files / filesPerSSTable / 10 }),
	},
	{
		name: 'tables',
		title: 'tables of one SSTable, a snapshot each',
		steps: [10, 100, 1000, 10_000],
		form: (tables) => ({ tables, sstables: 1 }),
	},
	{
		name: 'snapshots',
		title: 'snapshots of 10 tables of one SSTable, all of the same files',
		steps: [10, 100, 1000, 10_000],
		form: () => ({ tables: 10, sstables: 1 }),
		tags: (snapshots) => snapshots / 10,
	},
	{
		name: 'size',
		title: 'MB in one Data.db',
		steps: [2, 20, 200, 2000],
		form: (megabytes) => ({ tables: 1, sstables: 1, dataBytes: megabytes * MB }),
	},
]

/** How time grows with each of four amounts: a scenario for each. */
export const growths: Scenario[] = axes.map((axis) => ({
	name: `growth-${axis.name}`,
	title: `how time grows with the number of ${axis.title}, from tmpfs to tmpfs: a first pass and a further one`,
	missing: placesMissing,
	run: async (scale) => {
		const figures: Figure[] = []
		const steps = scale === 'smoke' ? axis.steps.slice(0, 1) : axis.steps
		for (const amount of steps) figures.push(...(await measureAt(axis, amount, scale, amount === axis.steps.at(-1))))
		return [...figures, ...tenfold(figures, steps.at(0) ?? 0)]
	},
}))

async function measureAt(axis: Axis, amount: number, scale: Scale, isLast: boolean): Promise<Figure[]> {
	return await onTmpfs(4096, async (source) => {
		const tree = makeTree(join(source, 'node'), axis.form(amount))
		for (let tag = 0; tag < (axis.tags?.(amount) ?? 1); tag++) takeSnapshot(tree, `tag-${tag}`)
		removeLive(tree)
		const times = new Map<string, number[]>()
		for (let round = 0; round < (isLast ? 1 : rounds[scale]); round++) {
			// Each on a tmpfs of its own: a virtual machine's memory is slow to write to for the first time.
			await onTmpfs(6144, (target) => timeRsync(tree, target, times))
			await onTmpfs(6144, (target) => timeSnaphaven(tree, target, times))
		}
		return [...times].map(([series, seconds]) => ({
			what: `${series}, ${amount.toLocaleString('en')}`,
			value: median(seconds),
			unit: 's',
			at: { series, amount, of: axis.name === 'size' ? 'MB' : axis.name },
		}))
	})
}

async function timeRsync(tree: Tree, target: string, times: Map<string, number[]>): Promise<void> {
	// With -H, since snapshots share their files.
	const rsync = ['rsync', '-aH', join(tree.root, 'data', tree.keyspace), join(target, 'rsync')]
	await take(times, 'rsync -aH', rsync)
	await take(times, 'rsync -aH, nothing new', rsync)
}

async function timeSnaphaven(tree: Tree, target: string, times: Map<string, number[]>): Promise<void> {
	await take(times, 'snaphaven', syncCommand(tree, target))
	assertMirrored(tree, havenIn(target))
	await take(times, 'snaphaven, nothing new', syncCommand(tree, target))
}

async function take(times: Map<string, number[]>, series: string, command: string[]): Promise<void> {
	times.set(series, [...(times.get(series) ?? []), await secondsOf(command)])
}

/** How many times as long the worst step to ten times as much takes; linear is 10, and the noise of one run. */
function tenfold(figures: Figure[], first: number): Figure[] {
	const series = Map.groupBy(figures, ({ at }) => at?.series ?? '')
	return [...series].flatMap(([name, found]): Figure[] => {
		const steps = found.slice(1).map(({ value }, step) => value / (found[step]?.value ?? Number.NaN))
		if (steps.length === 0) return []
		const what = `${name}: ten times as much, from ${first} on, takes at most`
		return [{ what, value: Math.max(...steps), unit: '×', ...(name.startsWith('snaphaven') ? { atMost: 11 } : {}) }]
	})
}
