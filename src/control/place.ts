import { open } from 'node:fs/promises'
import { ensureDir } from 'fs-extra/esm'
import { failure } from '../errors.ts'

/** Which service is meant: there is one for each haven. */
export interface ServicePlace {
	/** Where this node keeps its memory. */
	stateDirectory: string
	/** The haven's absolute path. Never touched on this way: a haven that hangs would keep the asker waiting. */
	haven: string
}

/** The names of a service's files in the state directory: they follow from the haven's path alone. */
export function serviceFiles(haven: string): { socket: string; lastStatus: string } {
	const { createHash } = process.getBuiltinModule('node:crypto')
	const hash = createHash('sha256').update(haven).digest('hex').slice(0, 16)
	return { socket: `service-${hash}.socket`, lastStatus: `service-${hash}.json` }
}

/** The state directory, opened; made where it is missing. Throws where this user can't have it. */
export async function openOrMakeState(stateDirectory: string) {
	try {
		await ensureDir(stateDirectory)
		return await open(stateDirectory, 'r')
	} catch (error) {
		throw failure(
			`the state directory ${stateDirectory} can't be used (${String((error as NodeJS.ErrnoException).code)})`,
			'Make it for the user that the service runs as, or name another one by --state-dir',
			error,
		)
	}
}

/**
 * A file in an opened folder, by a path that is always short enough for the address of a Unix socket (107 bytes, see
 * unix(7)), and stays right where the folder is renamed.
 */
export function within(folder: { fd: number }, name: string): string {
	return `/proc/self/fd/${folder.fd}/${name}`
}
