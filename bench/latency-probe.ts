import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import { assertMirrored } from '../test/support/mirrored.ts'
import { makeTree, removeLive, type Tree, takeSnapshot } from '../test/support/tree.ts'
import { fioMissing, whileFio } from './support/fio.ts'
import { median } from './support/median.ts'
import { inFolder, placesMissing } from './support/places.ts'
import { secondsOf, turns } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { havenIn, syncCommand } from './support/snaphaven.ts'

const MB = 1_000_000
const sizes = {
	normal: { tables: 8, rounds: 1, said: '1 GB' },
	large: { tables: 64, rounds: 3, said: '9 GB' },
}
/** What is probed is a file of its own, with O_DIRECT: no cache answers. */
const probeMB = { full: 1024, smoke: 8 }
const quietMs = { full: 10_000, smoke: 500 }

/** What priority the units in systemd/ give: nice, batch, the idle class of the disk. */
const asUnit = ['nice', '-n', '19', 'chrt', '--batch', '0', 'ionice', '-c', '3']

/** What other readers of the disk notice of copying. */
export function latencyProbe(size: keyof typeof sizes): Scenario {
	const { tables, rounds, said } = sizes[size]
	return {
		name: size === 'large' ? 'latency-probe-large' : 'latency-probe',
		byNameAlone: size === 'large',
		title: `random reads of 4 kB on the machine’s disk, while ${said} in 16 MB SSTables that no cache holds is copied on it`,
		missing: () => placesMissing() ?? fioMissing(),
		run: (scale) =>
			inFolder(async (own) => {
				const form =
					scale === 'smoke' ? { tables: 1, sstables: 1, dataBytes: MB } : { tables, sstables: 8, dataBytes: 16 * MB }
				const tree = makeTree(join(own, 'node'), form)
				takeSnapshot(tree, 'daily')
				removeLive(tree)
				const probed = join(own, 'probed')
				await execa('fio', ['--name=lay', `--filename=${probed}`, `--size=${probeMB[scale]}M`, '--rw=write', '--bs=1M'])
				return await probeEach(copiersOf(tree, scale), { tree, own, probed, rounds: scale === 'smoke' ? 1 : rounds })
			}),
	}
}

/** What runs while the disk is probed; undefined: nothing. */
interface Copier {
	name: string
	run: (target: string) => Promise<unknown>
	check?: (target: string) => void
}

function copiersOf(tree: Tree, scale: Scale): Copier[] {
	const keyspace = join(tree.root, 'data', tree.keyspace)
	const flushed = (name: string): Copier => ({
		name: `${name}; sync -f`,
		run: (target) => secondsOf(['sh', '-c', `${name} "$0" "$1" && sync -f "$1"`, keyspace, target]),
	})
	const ours = (name: string, before: string[], after: string[]): Copier => ({
		name,
		run: (target) => secondsOf([...before, ...syncCommand(tree, target), ...after]),
		check: (target) => assertMirrored(tree, havenIn(target)),
	})
	const copiers = [
		{ name: 'nothing', run: () => pause(quietMs[scale]) },
		flushed('cp -a'),
		flushed('rsync -a'),
		ours('snaphaven', [], []),
		ours('snaphaven as the unit runs it', asUnit, []),
		ours('snaphaven --limit-rate 50M', [], ['--limit-rate', '50M']),
	]
	return scale === 'smoke' ? copiers.slice(0, 4) : copiers
}

interface Probing {
	tree: Tree
	own: string
	probed: string
	rounds: number
}

/** What one run has shown. */
interface Probed {
	p99: number
	median: number
	seconds: number
}

async function probeEach(copiers: Copier[], { tree, own, probed, rounds }: Probing): Promise<Figure[]> {
	const results = new Map<string, Probed[]>(copiers.map(({ name }) => [name, []]))
	for (const { contender: copier } of turns(copiers, rounds)) {
		await inFolder(async (target) => {
			await forget(tree, own)
			const begun = performance.now()
			const shown = await probe(probed, () => copier.run(target))
			results.get(copier.name)?.push({ ...shown, seconds: (performance.now() - begun) / 1000 })
			copier.check?.(target)
		})
		await execa('sync', ['-f', own])
	}
	return [...results].flatMap(([name, found]): Figure[] => {
		const middle = (of: (one: Probed) => number) => median(found.map(of))
		return [
			{ what: `${name}: 99th percentile of a read`, value: middle(({ p99 }) => p99), unit: 'ms' },
			{ what: `${name}: median of a read`, value: middle((one) => one.median), unit: 'ms' },
			...(name === 'nothing'
				? []
				: [{ what: `${name}: it took`, value: middle((one) => one.seconds), unit: 's' as const }]),
		]
	})
}

/** Makes all durable, and has the kernel forget what the snapshots hold: their reading is the disk's work then. */
async function forget(tree: Tree, own: string): Promise<void> {
	await execa('sync', ['-f', own])
	const folder = join(tree.root, 'data')
	const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('-Data.db'))
	for (const name of files) await execa('dd', [`if=${join(folder, name)}`, 'iflag=nocache', 'count=0'])
}

/** Reads at random places of a file, one at a time, for as long as `use` takes. */
async function probe(file: string, use: () => Promise<unknown>): Promise<Omit<Probed, 'seconds'>> {
	const { read } = await whileFio(file, ['--rw=randread', '--direct=1'], use)
	const { percentile } = read.clat_ns
	return { p99: percentile['99.000000'] / 1e6, median: percentile['50.000000'] / 1e6 }
}
