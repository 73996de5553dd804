import { readFileSync } from 'node:fs'

/** What is said of hints that a limit of inotify forbids: the setting, its value, and what to make of it. */
export function limitWarning(kind: 'instances' | 'watches', needed: number): string {
	const sysctl = `fs.inotify.max_user_${kind}`
	const machine = settingOf(`fs/inotify/max_user_${kind}`)
	const own = settingOf(`user/max_inotify_${kind}`)
	const isOwn = own !== undefined && machine !== undefined && own < machine
	const value = `${sysctl} is ${machine ?? 'unknown'}${isOwn ? `, user.max_inotify_${kind} here ${own}` : ''}`
	const need = kind === 'instances' ? 'one is needed' : `about ${needed} are needed`
	const better = enough(kind, machine ?? 0, needed)
	const raise = isOwn ? `Raise user.max_inotify_${kind}` : `Raise it: sysctl ${sysctl}=${better}`
	return `the kernel gives no more inotify ${kind} to this user (${value}; ${need} for these folders, beside other programs’): new snapshots are found by the regular sweeps alone, some seconds later. ${raise}`
}

/** What leaves room to grow, for others as before. */
function enough(kind: 'instances' | 'watches', now: number, needed: number): number {
	return kind === 'instances' ? Math.max(256, now * 2) : Math.ceil((now + 2 * needed) / 8192) * 8192
}

function settingOf(path: string): number | undefined {
	try {
		return Number.parseInt(readFileSync(`/proc/sys/${path}`, 'latin1'), 10)
	} catch {
		return undefined
	}
}
