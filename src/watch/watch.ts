import type { Glance } from '../cassandra/glance.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'

interface WatchOptions {
	sweepMs: number
	glance: () => Promise<Glance>
	onLook: (location: TableLocation) => void
	onSweep: (glance: Glance) => void
	warn: (message: string) => void
}

/** Sweeps: a glance at all tables every so often. */
export function startWatch(options: WatchOptions): { rescan: () => void; close: () => Promise<void> } {
	let timer: NodeJS.Timeout | undefined
	let closed = false
	const sweep = async () => {
		const glance = await options.glance()
		if (closed) return
		options.onSweep(glance)
		for (const { location } of glance.tables) options.onLook(location)
		timer = setTimeout(sweep, options.sweepMs)
	}
	timer = setTimeout(sweep, 0)
	return {
		rescan: () => {},
		close: async () => {
			closed = true
			clearTimeout(timer)
		},
	}
}
