import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { assertMirrored } from '../test/support/mirrored.ts'
import type { Tree } from '../test/support/tree.ts'
import { flushed } from './support/cost.ts'
import { fioMissing, whileFio } from './support/fio.ts'
import { median } from './support/median.ts'
import { disksMissing, onDisk } from './support/places.ts'
import { secondsOf, turns } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { onSmallTree } from './support/small-tree.ts'
import { flushingEach, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 5, smoke: 1 }
const tables = { full: 50, smoke: 3 }
const quietMs = { full: 5000, smoke: 500 }
const megabytes = 768

/** What another one on the same disk notices of either way to flush: its own fsyncs, as a commit log's are. */
export const flushWays: Scenario = {
	name: 'flush-ways',
	title:
		'8,000 small files, from tmpfs to an ext4 of its own on the machine’s disk, flushed by syncfs or one by one, while another process there writes 4 kB and calls fsync, again and again',
	missing: () => disksMissing() ?? fioMissing(),
	run: (scale) =>
		onSmallTree({ tables: tables[scale], megabytes: 512 }, (tree, keyspace) =>
			probeEach(waysOf(tree, keyspace, scale), rounds[scale]),
		),
}

interface Way {
	name: string
	run: (target: string) => Promise<unknown>
	check?: (target: string) => void
}

function waysOf(tree: Tree, keyspace: string, scale: Scale): Way[] {
	const check = (target: string) => assertMirrored(tree, havenIn(target))
	return [
		{ name: 'nothing', run: () => pause(quietMs[scale]) },
		{ name: 'cp -a; sync -f', run: (target) => secondsOf(flushed(target, ['cp', '-a', keyspace, target])) },
		{ name: 'snaphaven, syncfs', run: (target) => secondsOf(syncCommand(tree, target)), check },
		{ name: 'snaphaven, fsync of each', run: (target) => secondsOf(flushingEach(syncCommand(tree, target))), check },
	]
}

async function probeEach(ways: Way[], times: number): Promise<Figure[]> {
	const found = new Map(ways.map(({ name }) => [name, [] as Probed[]]))
	for (const { contender: way } of turns(ways, times)) {
		const probed = await onDisk('ext4', megabytes, async (target) => {
			let seconds = Number.NaN
			const { sync } = await whileFio(
				join(target, 'probed'),
				['--rw=randwrite', '--size=32M', '--fsync=1'],
				async () => {
					const begun = performance.now()
					await way.run(target)
					seconds = (performance.now() - begun) / 1000
				},
			)
			way.check?.(target)
			const { percentile, max } = sync.lat_ns
			return { seconds, median: percentile['50.000000'] / 1e6, p99: percentile['99.000000'] / 1e6, longest: max / 1e6 }
		})
		found.get(way.name)?.push(probed)
	}
	return [...found].flatMap(([name, probed]): Figure[] => {
		const middle = (of: (one: Probed) => number) => median(probed.map(of))
		return [
			...(name === 'nothing'
				? []
				: [{ what: `${name}: it took`, value: middle(({ seconds }) => seconds), unit: 's' as const }]),
			{ what: `${name}: median of an fsync`, value: middle((one) => one.median), unit: 'ms' },
			{ what: `${name}: 99th percentile`, value: middle(({ p99 }) => p99), unit: 'ms' },
			{ what: `${name}: longest`, value: middle(({ longest }) => longest), unit: 'ms' },
		]
	})
}

/** Of the other's fsyncs, in ms. */
interface Probed {
	seconds: number
	median: number
	p99: number
	longest: number
}
