import { linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { execa, execaSync } from 'execa'
import { makeTree, type Tree } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { cpuSeconds, memoryMB, processesOf, watchMemory } from './support/processes.ts'
import { secondsOf } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { havenIn, serviceCommand, syncCommand } from './support/snaphaven.ts'

const tables = { full: 1000, smoke: 4 }
const sstables = { full: 100, smoke: 5 }
const idleMs = { full: 60_000, smoke: 1000 }
/** Looks that found the processes doing next to nothing, one after the other: what was to be done at the start is done. */
const QUIET_LOOKS = 5
const LOOK_MS = 500

/** What live sets cost that have not changed. */
export const liveSets: Scenario = {
	name: 'live-sets',
	title:
		'1,000 tables of 100 live SSTables, 800,000 files, with --sync-sstables: a first pass, another one, the service',
	missing: () => placesMissing() ?? timeMissing(),
	run: (scale) =>
		onTmpfs(1024, (source) =>
			onTmpfs(8192, async (target) => {
				const tree = makeManyNames(join(source, 'node'), tables[scale], sstables[scale])
				const live = (command: string[]) => [...command.slice(0, -1), '--sync-sstables', ...command.slice(-1)]
				const first = await measuredPass(live(syncCommand(tree, target)), target)
				assertAll(tree, target, sstables[scale])
				const again = await measuredPass(live(syncCommand(tree, target)), target)
				return [
					{ what: 'the first pass', value: first.seconds, unit: 's' },
					{ what: 'its memory at the most', value: first.peakMB, unit: 'MB', atMost: 300 },
					{ what: 'a further pass, which looks at each file', value: again.seconds, unit: 's', atMost: 30 },
					{ what: 'its memory at the most', value: again.peakMB, unit: 'MB', atMost: 300 },
					...(await measureService(live(serviceCommand(tree, target)), idleMs[scale])),
				]
			}),
		),
}

/** A tree whose SSTables are all the same one under other names: so many files need memory for their names alone. */
function makeManyNames(root: string, count: number, each: number): Tree {
	const tree = makeTree(root, { tables: count, sstables: 0 })
	const one = makeTree(`${root}-one`, { tables: 1, sstables: 1, dataBytes: 200 })
	const from = join(one.dataDirectories[0] ?? '', one.keyspace, one.folders[0] ?? '')
	for (const folder of tree.folders) {
		const to = join(tree.dataDirectories[0] ?? '', tree.keyspace, folder)
		mkdirSync(to, { recursive: true })
		for (const name of readdirSync(from)) {
			for (let id = 1; id <= each; id++) linkSync(join(from, name), join(to, name.replace('nb-1-', `nb-${id}-`)))
		}
	}
	return { ...tree, sstables: each }
}

function assertAll(tree: Tree, target: string, each: number): void {
	for (const folder of tree.folders) {
		const names = readdirSync(join(havenIn(target), 'data', tree.keyspace, folder))
		const found = names.filter((name) => name.endsWith('-TOC.txt')).length
		if (found !== each) throw new Error(`${found} SSTables of ${folder} in the haven, not ${each}`)
	}
}

async function measuredPass(command: string[], target: string): Promise<{ seconds: number; peakMB: number }> {
	const told = join(target, 'peak')
	const seconds = await secondsOf(['/usr/bin/time', '--format=%M', `--output=${told}`, ...command])
	return { seconds, peakMB: (Number(readFileSync(told, 'utf8')) * 1024) / 1e6 }
}

async function measureService([file = '', ...args]: string[], idle: number): Promise<Figure[]> {
	const start = performance.now()
	const service = execa(file, args, { reject: false, all: true, buffer: false })
	const peak = watchMemory(service.pid)
	try {
		for await (const line of createInterface({ input: service.all })) if (line.includes('watching')) break
		service.all.resume()
		const lookedS = (await untilQuiet(service.pid)) - start / 1000
		const before = cpuSeconds(processesOf(service.pid))
		await pause(idle)
		const processes = processesOf(service.pid)
		const busy = cpuSeconds(processes) - before
		return [
			{ what: 'the service, until it has looked at all', value: lookedS, unit: 's', atMost: 30 },
			{ what: `idle, of a core, over ${idle / 1000} s`, value: (busy / (idle / 1000)) * 100, unit: '%', atMost: 1 },
			{ what: 'memory then, shared pages once', value: memoryMB(processes), unit: 'MB' },
			{ what: 'memory at the most', value: peak(), unit: 'MB', atMost: 300 },
		]
	} finally {
		service.kill('SIGTERM')
		await service
	}
}

/** When the processes have come to rest, in seconds of performance.now(). */
async function untilQuiet(pid: number | undefined): Promise<number> {
	let since = performance.now()
	for (let quiet = 0; quiet < QUIET_LOOKS; ) {
		const before = cpuSeconds(processesOf(pid))
		await pause(LOOK_MS)
		const isQuiet = cpuSeconds(processesOf(pid)) - before < 0.1 * (LOOK_MS / 1000)
		if (!isQuiet) since = performance.now()
		quiet = isQuiet ? quiet + 1 : 0
	}
	return since / 1000
}

function timeMissing(): string | undefined {
	const { exitCode } = execaSync('/usr/bin/time', ['--format=%M', '--output=/dev/null', 'true'], { reject: false })
	return exitCode === 0 ? undefined : 'needs GNU time'
}
