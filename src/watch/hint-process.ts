import { fork } from 'node:child_process'
import type { HintOrder, HintReport } from './hint-messages.ts'

/** The process that hints come from. */
export interface HintProcess {
	tell: (order: HintOrder) => void
	/** Ends it at once, and all that it watches; nothing is reported any more. Resolves when it has ended. */
	kill: () => Promise<void>
}

// Beside this file's folder in the sources, beside this code itself in the build.
const ENTRY = import.meta.url.endsWith('.ts') ? '../hinter.ts' : './hinter.js'

/** A process that is stuck in the kernel ends by itself some day; nobody waits for that. */
const END_MS = 2000

/** Starts it. `onEnd` tells that it has ended by itself, and how. It does not keep this process alive. */
export function startHintProcess(onReport: (report: HintReport) => void, onEnd: (how: string) => void): HintProcess {
	const child = fork(new URL(ENTRY, import.meta.url), {
		stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
		// Little memory.
		execArgv: ['--single-threaded', '--max-semi-space-size=1'],
		env: { ...process.env, NODE_OPTIONS: '', LC_ALL: 'C', UV_THREADPOOL_SIZE: '2', MALLOC_ARENA_MAX: '1' },
		// A Ctrl-C is for this process alone.
		detached: true,
	})
	child.unref()
	child.channel?.unref()
	let isKilled = false
	const ended = new Promise<string>((resolve) => {
		child.on('error', ({ message }) => resolve(message))
		child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
	})
	child.on('message', (report: HintReport) => {
		if (!isKilled) onReport(report)
	})
	ended.then((how) => {
		if (!isKilled) onEnd(how)
	})
	return {
		// A process that has just ended is told of by onEnd.
		tell: (order) => child.send(order, () => {}),
		kill: async () => {
			isKilled = true
			child.ref()
			child.kill('SIGKILL')
			let timer: NodeJS.Timeout | undefined
			const enough = new Promise((resolve) => {
				timer = setTimeout(resolve, END_MS)
			})
			await Promise.race([ended, enough])
			clearTimeout(timer)
			child.unref()
		},
	}
}
