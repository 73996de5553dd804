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

/**
 * Gives an error of Node's for a failed system call, whose `code` is `Unknown system error -116`, the code and the message
 * that others have: `ESTALE: stale file handle, open 'x'`. All else stays as it is.
 */
export function nameSystemError(error: unknown): void {
	if (!(error instanceof Error) || !('code' in error)) return
	const { code, message } = error
	const number = UNKNOWN.exec(String(code))?.[1]
	if (number === undefined) return
	const { errno } = process.getBuiltinModule('node:os').constants
	const known = Object.entries(errno).find(([, value]) => value === Number(number))?.[0]
	const name = OTHERS[Number(number)] ?? known ?? `E${number}`
	const meaning = MEANINGS[name] ?? `system error ${number}`
	Object.assign(error, { code: name, message: message.replace(`${code}: ${code}`, `${name}: ${meaning}`) })
}

const UNKNOWN = /^Unknown system error -(\d+)$/
