import { failure, SnaphavenError } from '../errors.ts'
import { codeOf } from '../files/io.ts'
import { type Haven, openExistingHaven } from './haven.ts'

/**
 * Opens a haven to read what it holds, another node's too: nothing in it is written, made or claimed, and no lease is
 * taken. Throws where none is there (an unmounted NAS is told as that), where its format is newer than is understood
 * here, and where it can't be read.
 */
export async function openForReading(path: string, stateDirectory: string): Promise<Haven> {
	const ownership = { newHaven: false, takeOver: true, requireMount: false }
	const options = { path, dataDirectories: [], stateDirectory, ...ownership, warn: () => {} }
	const haven = await openExistingHaven(options).catch((error: unknown) => {
		throw unreadable(path, error)
	})
	if (haven) return haven
	throw failure(
		`there is no haven at ${path}`,
		'Is it mounted, and is it what -s of the service, or of the pass, says?',
	)
}

function unreadable(path: string, error: unknown): unknown {
	const code = error instanceof SnaphavenError ? codeOf(error.cause) : undefined
	if (code !== 'EACCES' && code !== 'EPERM') return error
	return failure(
		`the haven ${path} can’t be read by this user (${code})`,
		'Run as the user that snaphaven runs as, or as root.',
		error,
	)
}
