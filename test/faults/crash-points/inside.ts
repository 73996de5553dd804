import { registerHooks } from 'node:module'
import type { CliResult } from '../../support/cli.ts'

// Nothing hangs here: a command that is stopped is not to kill the process that it shares.
process.env['SNAPHAVEN_TEST_PATIENCE'] = '2000000000'

// Each run of the command listens to them.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0)

registerHooks({
	resolve: (word, context, next) => {
		const found = next(word, context)
		if (!found.url.endsWith('/src/mirror/worker-threads.ts')) return found
		return { ...found, url: new URL('here-threads.ts', import.meta.url).href }
	},
})

/**
 * Runs the command in this process, to its end: the same code from the command line on, without a process and threads of
 * its own. One that waits for another process's lease is stopped.
 */
export async function runInside(args: string[]): Promise<CliResult> {
	const { main } = await import('../../../src/commands/main.ts')
	const told = { stdout: '', stderr: '' }
	const { stdout, stderr } = process
	let isStopped = false
	const originals = { stdout: stdout.write, stderr: stderr.write }
	const take = (name: 'stdout' | 'stderr') =>
		((text: string | Uint8Array, ...rest: unknown[]) => {
			told[name] += String(text)
			// A second signal would end this process.
			if (!isStopped && String(text).includes('waiting up to')) {
				isStopped = true
				process.emit('SIGTERM', 'SIGTERM')
			}
			for (const one of rest) if (typeof one === 'function') setImmediate(() => one())
			return true
		}) as typeof stdout.write
	stdout.write = take('stdout')
	stderr.write = take('stderr')
	try {
		return { exitCode: await main(args), signal: undefined, ...told }
	} finally {
		stdout.write = originals.stdout
		stderr.write = originals.stderr
	}
}
