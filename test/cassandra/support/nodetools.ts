import { join } from 'node:path'
import { execa } from 'execa'
import { failure } from '../../../src/errors.ts'

/** A process that runs nodetool as often as it is called: a JVM for each would be most of what a test takes. */
export interface Nodetools {
	/** Runs one; hands back what it printed. Throws, with that, when it fails. */
	run: (args: string[]) => Promise<string>
	/** Ends it, without waiting for what it runs. */
	stop: () => Promise<void>
}

interface Answer {
	code: number
	printed: string
}

/** `java` and its options, with Cassandra's jars on the class path. */
export function startNodetools([program = '', ...options]: string[], folder: string): Nodetools {
	const words = [...options, join(import.meta.dirname, 'Nodetools.java')]
	const child = execa(program, words, { cwd: folder, stderr: 'inherit', buffer: false, reject: false })
	const waiting = new Map<number, (answer: Answer) => void>()
	let calls = 0
	let bytes = Buffer.alloc(0)
	child.stdout.on('data', (chunk: Buffer) => {
		bytes = Buffer.concat([bytes, chunk])
		for (;;) {
			const head = bytes.indexOf('\n') + 1
			const [call = 0, code = 2, size = 0] = bytes.toString('utf8', 0, head).split(' ').map(Number)
			if (head === 0 || bytes.length < head + size) return
			waiting.get(call)?.({ code, printed: bytes.toString('utf8', head, head + size).trimEnd() })
			waiting.delete(call)
			bytes = bytes.subarray(head + size)
		}
	})
	const ended = child.then(({ exitCode }) => {
		for (const answer of waiting.values()) answer({ code: exitCode ?? 2, printed: 'its JVM has ended' })
	})
	return {
		run: async (args) => {
			const answer = new Promise<Answer>((resolve) => waiting.set(calls++, resolve))
			child.stdin.write([args.length, ...args, ''].join('\n'))
			const { code, printed } = await answer
			if (code === 0) return printed
			throw failure(`nodetool ${args.join(' ')} ended with ${code}:\n${printed}`)
		},
		stop: async () => {
			child.kill('SIGKILL')
			await ended
		},
	}
}
