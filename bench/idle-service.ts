import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import { makeTree, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { cpuSeconds, memoryMB, processesOf } from './support/processes.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { serviceCommand, syncCommand } from './support/snaphaven.ts'

const tables = { full: 1000, smoke: 5 }
const settleMs = { full: 20_000, smoke: 1000 }
const idleMs = { full: 300_000, smoke: 1000 }

/** What the service costs while nothing happens; the process that its hints come from is part of it. */
export const idleService: Scenario = {
	name: 'idle-service',
	title: 'the service over 1,000 tables with 196,000 files in 2,000 snapshots, all sealed, while nothing happens',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(2048, (source) =>
			onTmpfs(2048, async (target) => {
				const tree = makeTree(source, { tables: tables[scale], sstables: 12, dataBytes: 200 })
				for (const tag of ['first', 'second']) takeSnapshot(tree, tag)
				const [once = '', ...args] = syncCommand(tree, target)
				await execa(once, args)
				return await measureIdle(serviceCommand(tree, target), settleMs[scale], idleMs[scale])
			}),
		),
}

async function measureIdle([file = '', ...args]: string[], settle: number, idle: number): Promise<Figure[]> {
	const start = performance.now()
	const service = execa(file, args, { reject: false, all: true, buffer: false })
	try {
		for await (const line of createInterface({ input: service.all })) if (line.includes('watching')) break
		service.all.resume()
		const readyS = (performance.now() - start) / 1000
		await pause(settle)
		const before = cpuSeconds(processesOf(service.pid))
		await pause(idle)
		const processes = processesOf(service.pid)
		const busy = cpuSeconds(processes) - before
		return [
			{ what: 'from the start until it watches', value: readyS, unit: 's', atMost: 5 },
			{ what: `of a core, over ${idle / 1000} s`, value: (busy / (idle / 1000)) * 100, unit: '%', atMost: 1 },
			{ what: 'memory, shared pages once', value: memoryMB(processes), unit: 'MB', atMost: 150 },
			{ what: 'of that, the process of hints', value: memoryMB(processes.slice(1)), unit: 'MB' },
		]
	} finally {
		service.kill('SIGTERM')
		await service
	}
}
