import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import { nodeBinary } from '../test/support/cli.ts'
import { assertMirrored, snapshotsOf } from '../test/support/mirrored.ts'
import { makeTree, type Tree } from '../test/support/tree.ts'
import { arrival } from './support/arrival.ts'
import { type Cost, medianCost, usedMB } from './support/cost.ts'
import { median } from './support/median.ts'
import { inFolder, onTmpfs, placesMissing } from './support/places.ts'
import { cpuSeconds, processesOf, watchMemory } from './support/processes.ts'
import { turns } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { havenIn } from './support/snaphaven.ts'
import type { Taken } from './support/take-snapshot.ts'
import { snaphaven, type Watcher, type Watching, watchers } from './support/watchers.ts'

const sizes = {
	normal: { tables: 200, sstables: 5, dataBytes: 1000, rounds: 5, files: '8,400' },
	large: { tables: 500, sstables: 12, dataBytes: 1000, rounds: 3, files: '49,000' },
}
const smoke = { tables: 4, sstables: 2, dataBytes: 1000, rounds: 1 }

const generator = join(import.meta.dirname, 'support/take-snapshot.ts')

/** Between the start and the storm: each says that it watches at another stage of its start. */
const calmMs = { full: 1000, smoke: 100 }
/** How long one that loses files is waited for after it last worked or changed anything. */
const patienceMs = { full: 20_000, smoke: 5000 }
/** How long each is waited for. */
const limitMs = { full: 600_000, smoke: 60_000 }

/** What the watchers make of a tag that comes at once; `onDisk`: their copies lie on the machine's disk. */
export function storm(size: keyof typeof sizes, onDisk = false): Scenario {
	const { tables, sstables, files } = sizes[size]
	const place = onDisk ? "the machine's disk" : 'tmpfs'
	return {
		name: size === 'large' ? 'storm-large' : 'storm',
		byNameAlone: size === 'large',
		title: `a tag of ${tables} tables × ${sstables} SSTables, ${files} files at once, from tmpfs to ${place}`,
		missing: placesMissing,
		lacks: () => watchers.flatMap(({ name, missing }) => (missing() ? [`${name}: ${missing()}`] : [])),
		run: async (scale) => {
			const form = scale === 'smoke' ? smoke : sizes[size]
			const present = watchers.filter(({ missing }) => missing() === undefined)
			const results = new Map<Watcher, Result[]>(present.map((watcher) => [watcher, []]))
			for (const { contender: watcher } of turns(present, form.rounds)) {
				const result = await onTmpfs(1024, async (source) => {
					const tree = makeTree(join(source, 'node'), form)
					return onDisk
						? await inFolder((target) => weather(watcher, tree, target, scale))
						: await onTmpfs(1024, (target) => weather(watcher, tree, target, scale))
				})
				results.get(watcher)?.push(result)
			}
			return figuresOf(results)
		},
	}
}

/** What one made of one storm; `seconds` are from the first link to the last byte durable. */
interface Result extends Cost {
	/** The same from the last file that the node wrote. */
	afterLast: number
	files: number
	lost: number
}

async function weather(watcher: Watcher, tree: Tree, target: string, scale: Scale): Promise<Result> {
	const before = await usedMB(target)
	const watching = await watcher.start(tree, target)
	const peakMB = watchMemory(watching.pid)
	const {
		firstMs,
		lastMs,
		durableMs,
		cpuSeconds: busy,
	} = await takenAndCopied(watching, tree, target, scale).finally(async () => {
		peakMB()
		await watching.stop()
	})
	if (watcher === snaphaven) assertMirrored(tree, havenIn(target))
	const { files, lost } = compareCopies(tree, havenIn(target))
	const since = (ms: number) => (durableMs - ms) / 1000
	const cost = { cpuSeconds: busy, peakMB: peakMB(), writtenMB: (await usedMB(target)) - before }
	return { seconds: since(firstMs), afterLast: since(lastMs), ...cost, files, lost }
}

async function takenAndCopied(watching: Watching, tree: Tree, target: string, scale: Scale) {
	await pause(calmMs[scale])
	const busy = () => cpuSeconds(processesOf(watching.pid))
	const before = busy()
	const { stdout } = await execa(nodeBinary, [generator, JSON.stringify(tree), 'storm'])
	const taken: Taken = JSON.parse(stdout)
	const durableMs = await durable(watching, tree, target, scale)
	return { ...taken, durableMs, cpuSeconds: busy() - before }
}

/** When the last byte was durable: as snaphaven tells, which flushes by itself; of others, after one flush at the end. */
async function durable({ pid, seals }: Watching, tree: Tree, target: string, scale: Scale): Promise<number> {
	const changedMs = await arrival(tree, havenIn(target), {
		work: () => cpuSeconds(processesOf(pid)),
		// snaphaven must lose none: no busy machine makes it look as if it had.
		patienceMs: seals ? limitMs[scale] : patienceMs[scale],
		limitMs: limitMs[scale],
		isAll: () => seals === undefined || seals.length >= tree.folders.length,
	})
	if (seals) {
		const [told, wanted] = [seals.length, tree.folders.length]
		if (told !== wanted) throw new Error(`snaphaven told of ${told} seals, there are ${wanted} snapshots`)
		return seals.at(-1) ?? Number.NaN
	}
	const start = performance.now()
	await execa('sync', ['-f', target])
	return changedMs + performance.now() - start
}

/** Files of the node's snapshots, and those of them that the haven's mirror has not, or with other bytes. */
function compareCopies(tree: Tree, haven: string): { files: number; lost: number } {
	const isCopied = (copy: string, source: string) => existsSync(copy) && readFileSync(copy).equals(readFileSync(source))
	const copied = snapshotsOf(tree).flatMap(({ folder, tag, files }) =>
		[...files].map(([name, source]) =>
			isCopied(join(haven, 'data', tree.keyspace, folder, 'snapshots', tag, name), source),
		),
	)
	return { files: copied.length, lost: copied.filter((is) => !is).length }
}

/** So much of lsyncd's time snaphaven may take. */
const ofLsyncdMax = 0.7

function figuresOf(results: Map<Watcher, Result[]>): Figure[] {
	const middle = (watcher: Watcher, of: (result: Result) => number) => median((results.get(watcher) ?? []).map(of))
	const ours = middle(snaphaven, ({ seconds }) => seconds)
	return [...results].flatMap(([watcher, found]): Figure[] => {
		const { name } = watcher
		const { seconds, ...cost } = medianCost(found)
		const [{ files } = { files: 0 }] = found
		const own: Figure[] = [
			{
				what: `${name}, after the last file`,
				value: middle(snaphaven, ({ afterLast }) => afterLast),
				unit: 's',
				atMost: 10,
			},
		]
		const ratio: Figure = { what: `snaphaven / ${name}`, value: ours / seconds, unit: '×' }
		return [
			{ what: `${name}, from the first file`, value: seconds, unit: 's', cost },
			...(watcher === snaphaven ? own : [name === 'lsyncd' ? { ...ratio, atMost: ofLsyncdMax } : ratio]),
			{ what: `${name}, lost of ${files}, at most`, value: Math.max(...found.map(({ lost }) => lost)), unit: 'files' },
		]
	})
}
