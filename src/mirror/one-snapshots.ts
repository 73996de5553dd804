import { SnaphavenError } from '../errors.ts'
import { codeOf } from '../files/io.ts'

/** A failure of the haven as a whole, or a defect of ours, ends a pass: it is no single snapshot's. */
export function isOneSnapshots(error: unknown): error is Error {
	return error instanceof SnaphavenError ? !error.ofHaven && error.exitCode === 1 : codeOf(error) !== undefined
}

/** A failure with what to do about it, in one line. */
export function explain(error: Error): string {
	if (!(error instanceof SnaphavenError) || !error.hint) return error.message
	return `${error.message}${error.message.endsWith('?') ? '' : '.'} ${error.hint}`
}
