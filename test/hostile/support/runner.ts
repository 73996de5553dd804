import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { nodeBinary } from '../../support/cli.ts'

interface Ran {
	exitCode: unknown
	printed: string
}

/** Longer than anything takes on a busy machine. */
const PATIENCE_MS = 240_000

/** Runs command lines one after the other; says what was wrong with one, if anything was. */
export function makeRunner(t: ExecutionContext, env: Record<string, string> = {}) {
	let child: ChildProcess | undefined
	t.teardown(() => child?.kill('SIGKILL'))
	const begin = () =>
		fork(join(import.meta.dirname, 'run-many.ts'), [], {
			execPath: nodeBinary,
			execArgv: [],
			env: { ...process.env, ...env },
			stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
		})
	return async (argv: string[]): Promise<Ran> => {
		child ??= begin()
		const running = child
		return await new Promise<Ran>((resolve) => {
			const end = (ran: Ran) => {
				clearTimeout(timer)
				running.removeAllListeners()
				resolve(ran)
			}
			const timer = setTimeout(() => running.kill('SIGKILL'), PATIENCE_MS)
			running.once('message', (ran) => end(ran as Ran))
			running.once('exit', (code, signal) => {
				child = undefined
				end({ exitCode: signal ?? `ended with ${code}`, printed: '' })
			})
			running.send(argv)
		})
	}
}

/** What only a programmer could read, or no exit code of design.md; undefined where all is well. */
export function wrongWith({ exitCode, printed }: Ran): string | undefined {
	if (![0, 1, 2, 3].includes(exitCode as number)) return `ended with ${exitCode}: ${printed}`
	if (/^\s+at .*:\d+:\d+|did not foresee|\/proc\/\w+\/fd|\[object |undefined|NaN/m.test(printed)) return printed
	return undefined
}
