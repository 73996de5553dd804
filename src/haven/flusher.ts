import type { ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { failure } from '../errors.ts'

/** What to do about a flush that failed. */
export const FLUSH_HINT =
	'Look in the kernel’s log for its disk, and see that it has space. What was being written does not count; the next pass writes it anew.'

/** Flushes the whole file system of an opened folder, whenever it is asked to. */
export interface Flusher {
	/**
	 * Resolves when all that was written before the call is on stable storage; rejects where that failed, or where an
	 * earlier flush fails that was still under way: the kernel tells of a lost write once, and it may be one of these.
	 */
	flush: () => Promise<void>
	/** How many flushes have failed: what was written before one did, and not flushed before it, may be lost. */
	failures: () => number
	/** Resolves when nothing holds the folder any more. To be called when no flush is under way; none can be asked for then. */
	close: () => Promise<void>
}

/**
 * Node has no syncfs(2): coreutils' `sync -f` makes the call, or busybox's. A shell that stays starts it, since to fork
 * a process of Node's size takes ten times as long. Signals for all of the process group are not meant for it.
 */
const SERVE = `exec 2>&1
trap '' INT TERM HUP QUIT
while read -r _; do sync -f /proc/self/fd/3; printf '\\nended %s\\n' $?; done`

/** The shell's last line for a flush, after what sync said. */
const ENDED = /^(.*?)\nended (\d+)\n/s

/** Its pipes are sockets; it has none where there were no descriptors left for it. */
type Shell = ChildProcess & { stdout: Socket | null }

interface Flush {
	resolve: () => void
	reject: (error: unknown) => void
}

/** Makes a flusher of the opened folder; its shell begins with the first flush. */
export function makeFlusher(folder: number): Flusher {
	let shell: Shell | undefined
	let failed = 0
	let isClosed = false
	/** Those that the sync which is at work serves, and those that came since: one further sync serves all of them. */
	let served: Flush[] = []
	let waiting: Flush[] = []
	const begin = () => {
		if (served.length > 0 || waiting.length === 0) return
		shell ??= startShell(folder, ended)
		served = waiting
		waiting = []
		shell.stdout?.ref()
		shell.stdin?.write('\n')
	}
	const ended = (one: Shell, problem: string | undefined, isOver: boolean) => {
		if (shell !== one) return
		if (isOver) shell = undefined
		else one.stdout?.unref()
		const flushes = problem === undefined ? served : [...served, ...waiting]
		if (problem !== undefined) waiting = []
		served = []
		if (problem !== undefined && flushes.length > 0) failed += 1
		for (const { resolve, reject } of flushes) {
			if (problem === undefined) resolve()
			else reject(failure(`the haven could not be flushed to stable storage: ${problem}`, FLUSH_HINT))
		}
		begin()
	}
	return {
		flush: () =>
			new Promise((resolve, reject) => {
				if (isClosed) throw new Error('a haven that was closed can’t be flushed')
				waiting.push({ resolve, reject })
				begin()
			}),
		failures: () => failed,
		close: () =>
			new Promise((resolve) => {
				isClosed = true
				if (!shell) return resolve()
				shell.once('close', () => resolve())
				shell.ref()
				shell.stdin?.end()
			}),
	}
}

/** Starts a shell; `ended` is told of each flush, with the problem where there was one, and when the shell itself is over. */
function startShell(
	folder: number,
	ended: (shell: Shell, problem: string | undefined, isOver: boolean) => void,
): Shell {
	// Loaded where something is to be flushed: it takes 3 ms.
	const { spawn } = process.getBuiltinModule('node:child_process')
	const shell: Shell = spawn('sh', ['-c', SERVE], {
		cwd: '/',
		stdio: ['pipe', 'pipe', 'ignore', folder],
	}) as Shell
	let said = ''
	shell.unref()
	shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
		said += text
		const [whole, message, code] = ENDED.exec(said) ?? []
		if (whole === undefined) return
		said = ''
		ended(shell, code === '0' ? undefined : message?.trim() || `sync ended with ${code}`, false)
	})
	shell.on('error', (error) => ended(shell, error.message, true))
	shell.on('close', (code, signal) =>
		ended(shell, `${said}the shell that runs sync ended with ${signal ?? code}`, true),
	)
	// It has ended, which is told as that.
	shell.stdin?.on('error', () => {})
	return shell
}
