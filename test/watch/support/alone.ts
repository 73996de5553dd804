import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../../support/cli.ts'

/** A watch in a process of its own, and what it told so far. */
export interface Alone {
	looks: string[]
	sweeps: number
	warnings: string[]
	/** The ids of its own processes at the last sweep, or when it had closed. */
	children: string[]
	/** Closes it, and waits until it has ended. */
	end: () => Promise<{ exitCode: number | undefined; closed: boolean }>
}

/** Starts it on a data directory's keyspace `ks`; with limits of inotify, in a user namespace that has them. */
export function watchAlone(t: ExecutionContext, dataDirectory: string, limits: string[] = []): Alone {
	const script = join(import.meta.dirname, 'watch-alone.ts')
	const wrapper = limits.length > 0 ? ['unshare', '--user', '--map-root-user'] : []
	const [file = '', ...args] = [...wrapper, nodeBinary, script, dataDirectory, ...limits]
	const child = execa(file, args, { reject: false, stderr: 'inherit', buffer: false, timeout: 300_000 })
	t.teardown(() => child.kill('SIGKILL'))
	let closed = false
	const alone: Alone = {
		looks: [],
		sweeps: 0,
		warnings: [],
		children: [],
		end: async () => {
			child.stdin.end()
			const { exitCode } = await child
			return { exitCode, closed }
		},
	}
	createInterface({ input: child.stdout }).on('line', (line) => {
		const told = JSON.parse(line)
		if (told.look) alone.looks.push(told.look)
		if (told.sweep) alone.sweeps++
		if (told.warning) alone.warnings.push(told.warning)
		if (told.children) alone.children = told.children
		closed ||= told.closed === true
	})
	return alone
}

/** How many folders the kernel watches for a process. */
export function watchesOf(pid = ''): number {
	try {
		const texts = readdirSync(`/proc/${pid}/fdinfo`).map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))
		return texts.join('').match(/^inotify /gm)?.length ?? 0
	} catch {
		// Gone, or a descriptor that is gone.
		return 0
	}
}
