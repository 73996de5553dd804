import { guardStreams } from '../../../src/report/streams.ts'

/**
 * Runs one command line after the other in one process, so that a thousand of them take a minute: each message is a
 * command line, each answer its exit code and all that it printed.
 */
const { main } = await import('../../../src/commands/main.ts')
guardStreams()
let printed = ''
for (const stream of [process.stdout, process.stderr]) {
	stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
		printed += chunk
		const done = rest.at(-1)
		if (typeof done === 'function') done()
		return true
	}
}
process.on('message', async (argv: string[]) => {
	printed = ''
	const exitCode = await main(argv).catch((error: unknown) => String(error))
	process.send?.({ exitCode, printed })
})
