import { readdirSync, readFileSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import type { Event } from '@parcel/watcher'
import type { HintOrder, HintReport } from './hint-messages.ts'
import { probeInotify } from './probe-inotify.ts'

/**
 * What the process that hints come from does: it subscribes to folders and tells which tables something changed in. It
 * is a process of its own since the native watcher may block its main thread for good or crash, and since folders are
 * best unsubscribed from by its end.
 */
process.on('disconnect', end)
process.on('message', (order: HintOrder) => {
	if (order.type === 'check') tell({ type: 'checked', watches: countWatches() })
	else subscribeTo(order.path).catch(tellTrouble)
})

/** Whoever asked is gone. An orderly exit would run the native watcher's destructors, which can block. */
function end(): void {
	process.kill(process.pid, 'SIGKILL')
}

/**
 * In a table's folder only `snapshots`, in a tag's only what tells that it is complete: all else costs neither memory
 * nor events. Patterns that begin with `**` would be matched against each file at several times the cost.
 */
const IGNORED = ['*/!(snapshots)', '*/snapshots/*/!(manifest.json|schema.cql)']

let instances: Promise<void> | undefined

async function subscribeTo(path: string): Promise<void> {
	instances ??= probeInotify(path)
	await instances
	const { default: watcher } = await import('@parcel/watcher')
	const folder = await realpath(path)
	const onEvents = (error: Error | null, events: Event[]) => {
		if (error) tellTrouble(error)
		else tell({ type: 'hints', path, tables: tablesOf(folder, events) })
	}
	await watcher.subscribe(folder, onEvents, { ignore: IGNORED })
	tell({ type: 'ready', path })
}

function tablesOf(folder: string, events: Event[]): string[] {
	return [...new Set(events.map(({ path }) => path.slice(folder.length + 1).split('/', 1)[0] ?? ''))]
}

/** By what the kernel says of our descriptors (proc_pid_fdinfo(5)). */
function countWatches(): number {
	return readdirSync('/proc/self/fdinfo').reduce((sum, fd) => sum + watchesOf(fd), 0)
}

function watchesOf(fd: string): number {
	try {
		return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').match(/^inotify /gm)?.length ?? 0
	} catch {
		// The descriptor by which the folder was listed.
		return 0
	}
}

function tellTrouble(error: unknown): void {
	const message = error instanceof Error ? error.message : String(error)
	const isInstances = error instanceof Error && 'code' in error && error.code === 'EMFILE'
	const isWatches = message.includes('No space left on device')
	tell({ type: 'trouble', kind: isInstances ? 'instances' : isWatches ? 'watches' : 'other', message })
}

function tell(report: HintReport): void {
	if (process.connected) process.send?.(report)
}
