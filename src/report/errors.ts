import { SnaphavenError } from '../errors.ts'
import { type Line, problemLine } from './messages.ts'
import { printable } from './printable.ts'
import { type Ending, INTERRUPTED } from './summary.ts'

/** An error, as it is told at the edge. */
interface ToldError {
	exitCode: 1 | 2
	message: string
	hint: string | undefined
	lines: Line[]
}

/** How an error is told: what snaphaven understands by its message and hint, all else as a defect with its stack. */
export function describeError(error: unknown): ToldError {
	if (!(error instanceof SnaphavenError)) return describeDefect(error)
	const { exitCode, message, hint, cause } = error
	const lines = [problemLine('error', 'bad', message)]
	if (hint !== undefined) lines.push(...hint.split('\n').map(continuation))
	if (cause instanceof Error) lines.push({ ...continuation(`caused by ${cause.message}`), importance: 'detail' })
	return { exitCode, message, hint, lines }
}

/** Whether an error says no more than that an AbortSignal was heeded. */
export function isAbort(error: unknown): boolean {
	return error instanceof Error && error.name === 'AbortError'
}

/** How a pass is told that was ended early, and had no summary. */
export function describeAbort(ending: Ending): ToldError {
	const lines = ending === 'by signal' ? [INTERRUPTED] : []
	return { exitCode: 1, message: 'interrupted', hint: undefined, lines }
}

function describeDefect(error: unknown): ToldError {
	const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
	const message = error instanceof Error ? error.message : String(error)
	const lines = [
		problemLine('error', 'bad', 'something went wrong that snaphaven did not foresee; please report this:'),
		...stack.split('\n').map((line) => continuation(line.trim())),
	]
	return { exitCode: 1, message, hint: undefined, lines }
}

function continuation(text: string): Line {
	return { to: 'stderr', importance: 'problem', label: '', kind: 'plain', text: printable(text) }
}
