import type { Glance, KeyspaceFolder } from '../cassandra/glance.ts'
import { steadyMs } from '../files/builtins.ts'
import type { HintReport, TroubleKind } from './hint-messages.ts'
import { startHintProcess } from './hint-process.ts'
import { limitWarning } from './limits.ts'
import { isOther, isStuck, lacksWatches, subscribe, type Watching } from './watching.ts'

/** What to do with hints. */
export interface HintsOptions {
	/** Something changed in these tables' folders, by the folders' names; '' stands for the keyspace's own. */
	onHint: (folder: KeyspaceFolder, tables: string[]) => void
	/** All folders are watched from now on: what came before needs a sweep. */
	onReady: () => void
	warn: (message: string) => void
	/** How often to check that the watch still stands, ms. */
	checkMs: number
}

/** Word from the kernel about the keyspaces' folders, as long as it can be had. */
export interface Hints {
	/** Watches the keyspaces' folders that a sweep found, and no others. To be called after each sweep. */
	follow: (glance: Glance) => void
	/** Ends it; nothing is told any more. */
	close: () => Promise<void>
}

/** How long to do without hints after what a moment does not cure. */
const RETRY_MS = 10 * 60_000
/** So many faults within RETRY_MS are passed over with a new start at the next sweep. */
const FAULTS_MAX = 3

/** Starts with nothing watched. Whatever goes wrong costs hints alone, and is told once. */
export function startHints({ onHint, onReady, warn, checkMs }: HintsOptions): Hints {
	let current: Watching | undefined
	const ending = new Set<Promise<void>>()
	let isClosed = false
	let pausedUntil = 0
	let faults: number[] = []
	let isTold = false

	const stop = () => {
		if (!current) return
		const ended = current.process.kill().finally(() => ending.delete(ended))
		ending.add(ended)
		current = undefined
	}
	const doWithout = (warning: string) => {
		stop()
		pausedUntil = steadyMs() + RETRY_MS
		if (!isTold) warn(warning)
		isTold = true
	}
	const startAnew = (reason: string) => {
		stop()
		const now = steadyMs()
		faults = [...faults.filter((at) => at > now - RETRY_MS), now]
		if (faults.length > FAULTS_MAX) doWithout(faultWarning(reason))
	}
	const onTrouble = (kind: TroubleKind, message: string, needed: number) => {
		if (kind === 'other') startAnew(message)
		else doWithout(limitWarning(kind, needed))
	}
	const start = (): Watching => {
		const process = startHintProcess(
			(report) => onReport(watching, report),
			(how) => startAnew(`its process has ended (${how})`),
		)
		const watching: Watching = {
			process,
			folders: new Map(),
			ready: new Set(),
			needed: 0,
			lacking: 0,
			askedAt: steadyMs(),
		}
		return watching
	}
	const onReport = (watching: Watching, report: HintReport) => {
		if (report.type === 'hints') {
			const folder = watching.folders.get(report.path)
			if (folder) onHint(folder, report.tables)
		} else if (report.type === 'trouble') onTrouble(report.kind, report.message, watching.needed)
		else if (report.type === 'checked') {
			if (lacksWatches(watching, report.watches)) startAnew('folders went out of watch')
		} else {
			watching.ready.add(report.path)
			if (watching.ready.size < watching.folders.size) return
			if (isTold) warn('inotify works again: new snapshots are seen at once')
			isTold = false
			onReady()
		}
	}

	return {
		follow: (glance) => {
			if (isClosed) return
			if (current && isOther(current, glance)) stop()
			if (!current && (glance.folders.length === 0 || steadyMs() < pausedUntil)) return
			try {
				current ??= start()
			} catch (error) {
				return startAnew(String(error))
			}
			current.needed = glance.folders.length + glance.tables.reduce((sum, { folders }) => sum + folders, 0)
			for (const folder of glance.folders) subscribe(current, folder)
			if (isStuck(current, checkMs)) startAnew('its process does not answer')
		},
		close: async () => {
			isClosed = true
			stop()
			await Promise.all(ending)
		},
	}
}

function faultWarning(reason: string): string {
	return `can’t watch the data directories by inotify (${reason}): new snapshots are found by the regular sweeps alone, some seconds later`
}
