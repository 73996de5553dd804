import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { execa } from 'execa'
import { median } from './median.ts'

/** What a command took, with all that it started. */
export interface Cost {
	seconds: number
	/** User's and system's time of all cores. */
	cpuSeconds: number
	/** The largest resident set of any one of its processes, in MB. */
	peakMB: number
	/** By how much the file system of its target was fuller afterwards, in MB. */
	writtenMB: number
}

/** Runs a command to its end, which must be a good one. GNU time tells of its processes. */
export async function costOf(command: string[], target: string): Promise<Cost> {
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-cost-'))
	try {
		const told = join(own, 'told')
		const before = await usedMB(target)
		const start = performance.now()
		await execa('/usr/bin/time', ['--format=%U %S %M', `--output=${told}`, ...command], { stdout: 'ignore' })
		const seconds = (performance.now() - start) / 1000
		const [user = 0, system = 0, kB = 0] = (await readFile(told, 'utf8')).split(' ').map(Number)
		const writtenMB = (await usedMB(target)) - before
		return { seconds, cpuSeconds: user + system, peakMB: (kB * 1024) / 1e6, writtenMB }
	} finally {
		await rm(own, { recursive: true })
	}
}

/** How full the file system of a path is, in MB. */
export async function usedMB(path: string): Promise<number> {
	const { bsize, blocks, bfree } = await statfs(path)
	return (bsize * (blocks - bfree)) / 1e6
}

/** The median of each. */
export function medianCost(costs: Cost[]): Cost {
	const middle = (of: (cost: Cost) => number) => median(costs.map(of))
	return {
		seconds: middle(({ seconds }) => seconds),
		cpuSeconds: middle(({ cpuSeconds }) => cpuSeconds),
		peakMB: middle(({ peakMB }) => peakMB),
		writtenMB: middle(({ writtenMB }) => writtenMB),
	}
}

/** The command with a flush of its target's file system at its end: what it promises then is what snaphaven promises. */
export function flushed(target: string, command: string[]): string[] {
	return ['sh', '-c', '"$@" && sync -f "$0"', target, ...command]
}
