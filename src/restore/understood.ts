import { SnaphavenError } from '../errors.ts'

/** The words of a failure, for what is told of one table; throws on what is none, and on wrong usage. */
export function understood(error: unknown): string {
	if (!(error instanceof SnaphavenError)) throw error
	if (error.exitCode === 2) throw error
	return [error.message, error.hint].filter(Boolean).join(': ')
}
