import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

const SYSTEM = '/var/lib/snaphaven'

/**
 * Where this node's memory is kept when nobody says: /var/lib/snaphaven where that can be written or made, else
 * `$XDG_STATE_HOME/snaphaven` (XDG Base Directory Specification: a relative one counts as not set), else
 * ~/.local/state/snaphaven.
 */
export function defaultStateDirectory(environment: NodeJS.ProcessEnv, system = SYSTEM): string {
	if (isWritable(system) ?? isWritable(dirname(system))) return system
	return ownStateDirectory(environment)
}

/** Where a service may have its memory when nobody says, likeliest first: one of another user is not in one's home. */
export function knownStateDirectories(environment: NodeJS.ProcessEnv): string[] {
	return [SYSTEM, ownStateDirectory(environment)]
}

function ownStateDirectory(environment: NodeJS.ProcessEnv): string {
	const state = environment['XDG_STATE_HOME']
	if (state && isAbsolute(state)) return join(state, 'snaphaven')
	return join(homedir(), '.local', 'state', 'snaphaven')
}

/** Whether files can be made in this folder; undefined where there is none. */
function isWritable(folder: string): boolean | undefined {
	try {
		accessSync(folder, constants.W_OK | constants.X_OK)
		return true
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : false
	}
}
