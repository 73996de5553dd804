import { readFileSync } from 'node:fs'
import { execaSync } from 'execa'

const strace = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null']
const flushes = 'fsync,fdatasync,syncfs,sync'
const renames = 'rename,renameat,renameat2'
const removals = 'unlink,unlinkat,rmdir'

/** Starts a command that publishes and deletes slowly, so that a stop falls between any two steps of it. Delays are in µs. */
export const slowly = [
	...[...strace, '-e', `trace=${flushes},${renames},${removals}`],
	...['-e', `inject=${flushes}:delay_enter=20000`],
	...['-e', `inject=${renames}:delay_exit=3000`],
	...['-e', `inject=${removals}:delay_exit=200`],
]

/** Starts a command of which every flush does nothing, also those of what it starts itself. */
export const withoutFlushes = [...strace, '-e', `trace=${flushes}`, '-e', `inject=${flushes}:retval=0`]

/** What this machine lacks to start a command so; undefined where it can. */
export function straceMissing(): string | undefined {
	return execaSync('strace', [...slowly.slice(1), 'true'], { reject: false }).exitCode === 0
		? undefined
		: 'needs strace, version 5.3 or later'
}

/** The process that a wrapper started, once it runs; undefined before. */
export function wrapped(wrapper: number): number | undefined {
	try {
		const [child] = readFileSync(`/proc/${wrapper}/task/${wrapper}/children`, 'utf8').split(' ')
		// strace tries the kernel with children of its own, and needs them.
		return child && readFileSync(`/proc/${child}/comm`, 'utf8') !== 'strace\n' ? Number(child) : undefined
	} catch {
		return undefined
	}
}
