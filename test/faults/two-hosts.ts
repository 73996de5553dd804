import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execaSync } from 'execa'
import type { RunningCli } from '../support/cli.ts'

/** What this machine lacks to run commands under two hosts' names; undefined where it can. */
export function hostsMissing(): string | undefined {
	const { exitCode } = execaSync('unshare', ['--uts', '--mount', 'hostname', 'other'], { reject: false })
	return exitCode === 0 ? undefined : 'needs root, for another host’s name'
}

/** Starts a command on a host of another name, and with `machine` of another machine-id(5), which that file has. */
export function onHost(name: string, machine?: string): string[] {
	const bound = machine === undefined ? '' : `mount --bind '${machine}' /etc/machine-id; `
	return ['unshare', '--uts', '--mount', 'sh', '-ec', `hostname ${name}; ${bound}exec "$@"`, 'sh']
}

/** A call of node:fs by its name without Sync, on a path that has this in it: the nth of them. */
export interface Instant {
	call: string
	path: string
	nth: number
}

/**
 * The environment of a command that is paused before it makes that call, until it gets SIGCONT. Calls count from the
 * instant on at which the haven's lease is held.
 */
export function pausedBefore(folder: string, haven: string, { call, path, nth }: Instant): Record<string, string> {
	const file = join(folder, 'paused-before.mjs')
	const counter = join(folder, 'calls')
	writeFileSync(counter, '')
	// Counted over all threads, by the length of a file that each call adds a byte to.
	writeFileSync(
		file,
		`const fs = process.getBuiltinModule('node:fs')
		const { writeSync, fstatSync, existsSync } = fs
		const isHeld = () => existsSync(${JSON.stringify(join(haven, '.snaphaven/lease.json'))})
		const counted = fs.openSync(${JSON.stringify(counter)}, 'a')
		for (const form of ['${call}', '${call}Sync']) {
			const original = fs[form]
			fs[form] = (...args) => {
				if (args.slice(0, 2).some((one) => String(one).includes(${JSON.stringify(path)})) && isHeld()) {
					writeSync(counted, '.')
					if (fstatSync(counted).size === ${nth}) {
						process.kill(process.pid, 'SIGSTOP')
						// Until it is stopped for sure.
						Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
					}
				}
				return original(...args)
			}
		}`,
	)
	return { NODE_OPTIONS: `--import=${file}` }
}

/** Whether it is paused, once it is or has ended. */
export async function isPaused(run: RunningCli): Promise<boolean> {
	let hasEnded = false
	run.then(
		() => {
			hasEnded = true
		},
		() => {},
	)
	for (; !hasEnded; await pause(10)) {
		if (stateOf(run.pid) === 'T') return true
	}
	return false
}

function stateOf(pid: number | undefined): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.[0]
	} catch {
		return undefined
	}
}

/** The environment of a command whose steady clock runs fast: another's lease has run out for it in an instant. */
export const hurried = {
	NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`
		const { bigint } = process.hrtime
		let ahead = 0n
		process.hrtime.bigint = () => bigint() + ahead
		setInterval(() => { ahead += 20_000_000_000n }, 100).unref()`)}`,
}
