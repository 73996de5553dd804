import { hostname } from 'node:os'
import { fs } from '../files/builtins.ts'

/** Which process on which machine: enough to tell from the same machine whether it still runs. */
export interface Holder {
	host: string
	/** /etc/machine-id (machine-id(5)), else the host's name. */
	machine: string
	/** /proc/sys/kernel/random/boot_id: another one is another boot. */
	boot: string
	/** The pid namespace, within which a pid means something. */
	pidNamespace: string
	pid: number
	/** When the process started, in clock ticks since boot (proc(5), stat field 22): a pid may be used again. */
	started: string
}

/** This process. */
export function thisProcess(): Holder {
	return {
		host: hostname(),
		machine: thisMachine(),
		boot: lineOf('/proc/sys/kernel/random/boot_id'),
		pidNamespace: thisPidNamespace(),
		pid: process.pid,
		started: startOf(process.pid) ?? '',
	}
}

/** Identifies this machine, over reboots. */
export function thisMachine(): string {
	return lineOf('/etc/machine-id') || `host:${hostname()}`
}

/** Whether that process still runs: `unknown` where it can't be seen from here. */
export function isRunning(holder: Holder): 'yes' | 'no' | 'unknown' {
	// Machines that were cloned may share their id, but hardly their name too.
	if (holder.machine !== thisMachine() || holder.host !== hostname()) return 'unknown'
	const boot = lineOf('/proc/sys/kernel/random/boot_id')
	if (holder.boot !== boot) return boot === '' || holder.boot === '' ? 'unknown' : 'no'
	if (holder.pidNamespace !== thisPidNamespace()) return 'unknown'
	return startOf(holder.pid) === holder.started ? 'yes' : 'no'
}

function startOf(pid: number): string | undefined {
	const text = lineOf(`/proc/${pid}/stat`)
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
	// A zombie holds nothing any more.
	return text === '' || fields[0] === 'Z' ? undefined : fields[19]
}

function thisPidNamespace(): string {
	try {
		return fs.readlinkSync('/proc/self/ns/pid')
	} catch {
		return ''
	}
}

function lineOf(path: string): string {
	try {
		return fs.readFileSync(path, 'utf8').trim()
	} catch {
		return ''
	}
}
