import { failure, SnaphavenError } from '../errors.ts'
import { codeOf, type Io } from '../files/io.ts'

/** Does work on the haven; a system call that fails is told as what it means there. */
export function* onHaven<T>(work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		throw havenTrouble(error)
	}
}

/** How every message begins that says that something does not fit. */
export const FULL = 'the haven is full'

/** What a failed system call on the haven means, and what to do. Any other error is left as it is. */
export function havenTrouble(error: unknown): unknown {
	const code = codeOf(error)
	if (code === undefined || !(error instanceof Error)) return error
	const say = (message: string, hint: string, ofHaven: boolean) =>
		new SnaphavenError(message, { exitCode: 1, hint, cause: error, ofHaven })
	switch (code) {
		case 'ENOSPC':
		case 'EDQUOT':
			return say(`${FULL} (${code})`, 'Free some space there, or give a larger place.', false)
		case 'ENAMETOOLONG':
		case 'EINVAL':
		case 'EILSEQ':
			return say(
				`the haven does not take a name of it (${error.message})`,
				'Give a haven on another file system.',
				false,
			)
		case 'EROFS':
			return say(
				'the haven has become read-only',
				'Mount it writable; if it was, the kernel’s log says why it is not.',
				true,
			)
		case 'EACCES':
		case 'EPERM':
			return say(
				`the haven may not be written (${error.message})`,
				'Run as a user who may, or give it to this one.',
				true,
			)
		case 'ENOENT':
		case 'ESTALE':
		case 'ENOTCONN':
		case 'ENODEV':
			return say(
				`the haven is not what it was (${error.message})`,
				'Is it mounted, and does one snaphaven alone serve it? Nothing is lost.',
				true,
			)
		default:
			return say(
				`the haven fails: ${error.message}`,
				'Look in the kernel’s log for its disk or server. Nothing is lost.',
				true,
			)
	}
}

/** A failure that seemed to be the haven's, where the haven itself works: it is of the one place that it names, in the haven of that path. */
export function ofOnePlace(trouble: SnaphavenError, path: string): SnaphavenError {
	const [call = trouble.message] = /\bE[A-Z0-9]+: .*?(?=\)?$)/s.exec(trouble.message) ?? []
	return failure(
		`a place in the haven fails, and the haven itself works: ${call.replaceAll(/(?<= )'(?!\/)/g, `'${path}/`)}`,
		'Look at what stands there and whose it is.',
		trouble,
	)
}
