import { readdirSync, readFileSync } from 'node:fs'
import { execaSync } from 'execa'

/** The process, its children and theirs, parents first; those that end meanwhile are left out. */
export function processesOf(pid = 0): number[] {
	try {
		const children = readdirSync(`/proc/${pid}/task`).flatMap(
			(task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').match(/\d+/g) ?? [],
		)
		return [pid, ...children.flatMap((child) => processesOf(Number(child)))]
	} catch {
		return []
	}
}

/** The CPU's time that the processes have taken so far, with their children that have ended; those that have ended themselves took none. */
export function cpuSeconds(processes: number[]): number {
	return processes.reduce((total, pid) => total + cpuTicks(pid), 0) / ticksASecond
}

const ticksASecond = Number(execaSync('getconf', ['CLK_TCK']).stdout)

/** Memory of the processes together in MB, pages that they share counted once; those that have ended have none. */
export function memoryMB(processes: number[]): number {
	return processes.reduce((total, pid) => total + proportionalMB(pid), 0)
}

/** Looks at the memory of a process and all below it, five times a second; what it returns ends that, and tells the most. */
export function watchMemory(pid: number | undefined): () => number {
	let peak = 0
	const look = () => {
		peak = Math.max(peak, memoryMB(processesOf(pid)))
	}
	look()
	const timer = setInterval(look, 200)
	return () => {
		clearInterval(timer)
		look()
		return peak
	}
}

function cpuTicks(pid: number): number {
	try {
		// After the name, which may hold anything: the fields from the third on (proc_pid_stat(5)).
		const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
			.replace(/^.*\) /, '')
			.split(' ')
		return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0)
	} catch {
		return 0
	}
}

function proportionalMB(pid: number): number {
	try {
		const kB = /^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0
		return (Number(kB) * 1024) / 1e6
	} catch {
		return 0
	}
}
