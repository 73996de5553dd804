/** What some codes mean: Node's libuv knows neither the names nor the meanings of what network file systems answer. */
const MEANINGS: Record<string, string> = {
	ESTALE: 'stale file handle',
	EDQUOT: 'disk quota exceeded',
	EUCLEAN: 'the file system’s structure needs cleaning',
	EREMOTEIO: 'remote I/O error',
	EBADMSG: 'bad message',
	ENOLINK: 'the link to the server has been severed',
}
/** errno-base.h, errno.h: what os.constants.errno lacks. */
const OTHERS: Record<number, string> = { 117: 'EUCLEAN', 121: 'EREMOTEIO' }

/** A path below an opened folder, as folders.ts makes it; alone the folder itself. */
const OPENED = /\/proc\/\w+\/fd\/\d+(\/?)/g

/**
 * Gives an error of Node's for a failed system call the words that a user understands: the code and the message that
 * others have where Node's says `Unknown system error -116` or `UNKNOWN` (`ESTALE: stale file handle, open 'x'`), and the name below
 * an opened folder, `.` for the folder itself, where it says `/proc/7/fd/21/x`. All else stays as it is.
 */
export function nameSystemError(error: unknown): void {
	if (!(error instanceof Error) || !('code' in error)) return
	nameCode(error)
	if (error.message.includes('/proc/'))
		error.message = error.message.replaceAll(OPENED, (_, slash: string) => (slash === '' ? '.' : ''))
}

function nameCode(error: Error & { code: unknown; errno?: unknown }): void {
	const { code, errno, message } = error
	if (typeof errno !== 'number' || !UNNAMED.test(String(code))) return
	const numbers = process.getBuiltinModule('node:os').constants.errno
	const known = Object.entries(numbers).find(([, number]) => number === -errno)?.[0]
	const name = OTHERS[-errno] ?? known ?? `E${-errno}`
	const meaning = MEANINGS[name] ?? `system error ${-errno}`
	Object.assign(error, { code: name, message: message.replace(UNNAMED_BEGINNING, `${name}: ${meaning}`) })
}

/** writeSync and its like answer with the first. */
const UNNAMED = /^(UNKNOWN|Unknown system error -\d+)$/
const UNNAMED_BEGINNING = /^(UNKNOWN: unknown error|Unknown system error -\d+: Unknown system error -\d+)/
