/** What every failure that snaphaven understands is thrown as: printed once, at the edge, without a stack trace. */
export class SnaphavenError extends Error {
	override name = 'SnaphavenError'
	/** The process's exit code for it: 1 could not be done, 2 wrong usage or configuration. */
	readonly exitCode: 1 | 2
	/** What to do about it, as a sentence, or what a program printed; on lines of their own. */
	readonly hint: string | undefined
	/** It concerns the haven as a whole, so that nothing else can go on either. */
	readonly ofHaven: boolean

	/** message: what was found, in which thing, and what was expected. */
	constructor(message: string, options: { exitCode: 1 | 2; hint?: string; cause?: unknown; ofHaven?: boolean }) {
		super(message, { cause: options.cause })
		this.exitCode = options.exitCode
		this.hint = options.hint
		this.ofHaven = options.ofHaven ?? false
	}
}

/** Wrong usage or configuration: nothing was touched, exit code 2. */
export function usageError(message: string, hint?: string): SnaphavenError {
	return new SnaphavenError(message, { exitCode: 2, ...(hint === undefined ? {} : { hint }) })
}

/** Something could not be done, exit code 1. */
export function failure(message: string, hint?: string, cause?: unknown): SnaphavenError {
	return new SnaphavenError(message, { exitCode: 1, ...(hint === undefined ? {} : { hint }), cause })
}
