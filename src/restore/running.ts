import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { failure } from '../errors.ts'
import { hasCode } from '../files/io.ts'

const DAEMON = 'org.apache.cassandra.service.CassandraDaemon'

/**
 * Throws while a Cassandra of this machine has files of these data directories open, by /proc/PID/fd and /proc/PID/maps;
 * also where that can't be seen of one that runs. One in a container or on another machine is not seen.
 */
export async function refuseRunning(dataDirectories: string[]): Promise<void> {
	const folders = await Promise.all(dataDirectories.map((path) => realpath(path)))
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
		if (!(await commandLineOf(pid)).includes(DAEMON)) continue
		const isUsing = await usesAny(pid, folders)
		if (isUsing === false) continue
		throw failure(
			isUsing
				? `Cassandra is running on these data directories (process ${pid})`
				: `a Cassandra is running (process ${pid}), and this user can’t see on which data directories`,
			isUsing ? 'Stop it first (nodetool drain, then stop it); or give --import.' : 'Run as root, or stop it first.',
		)
	}
}

async function commandLineOf(pid: string): Promise<string[]> {
	return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).split('\0')
}

/** Undefined where it may not be seen; false too for a process that has ended. */
async function usesAny(pid: string, folders: string[]): Promise<boolean | undefined> {
	try {
		const open = await Promise.all(
			(await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
		)
		const maps = await readFile(`/proc/${pid}/maps`, 'latin1')
		return folders.some((folder) => open.some((path) => path.startsWith(`${folder}/`)) || maps.includes(` ${folder}/`))
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ESRCH')) return false
		if (hasCode(error)) return undefined
		throw error
	}
}
