import { describeError } from './errors.ts'
import { openOutput } from './output.ts'

/** Tells an error that ended the process before there was anything else to tell. Returns the exit code. */
export async function tellError(error: unknown): Promise<number> {
	const output = await openOutput()
	const { exitCode, lines } = describeError(error)
	for (const line of lines) if (line.importance === 'problem') output.print(line)
	return exitCode
}
