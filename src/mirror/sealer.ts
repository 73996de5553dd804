import type { Published } from '../haven/publish.ts'
import type { Gathered } from './gather-order.ts'
import { type GroupOptions, sealGroup } from './seal-group.ts'

/** Publishes gathered snapshots in groups, so that one flush serves many. */
export interface Sealer {
	/**
	 * Resolves when the snapshot and its receipt are durable under their own names. Rejects where its group could not be
	 * made so: then nothing of it is visible, and what was gathered is gone. With a failure of the haven where that could
	 * not be undone either: then the intent stays for the next start, and nothing more is sealed.
	 * `alone`: in a group of its own.
	 */
	seal: (gathered: Gathered, how?: 'in a group' | 'alone') => Promise<Published>
	/** To be called when nothing is being gathered any more that could join the group. */
	hurry: () => void
	/** Does other work on what is published, between two groups: no publication begins before it has ended. */
	alone: <T>(work: () => Promise<T>) => Promise<T>
	/** Resolves when nothing is left to be sealed. */
	idle: () => Promise<void>
}

/** A group is closed after this time, or with so many bytes or snapshots. */
const GROUP_MS_MAX = 1000
const GROUP_BYTES_MAX = 256 * 1024 * 1024
const GROUP_SNAPSHOTS_MAX = 512

interface Waiting {
	gathered: Gathered
	resolve: (published: Published) => void
	reject: (error: unknown) => void
}

/**
 * Makes a sealer; one group is sealed at a time, while the next fills. A table that failed alone goes alone until it is
 * sealed, so that it does not fail groups again and again.
 */
export function makeSealer(options: GroupOptions): Sealer {
	let waiting: Waiting[] = []
	let bytes = 0
	let number = 0
	let timer: NodeJS.Timeout | undefined
	let running: Promise<void> = Promise.resolve()
	let stuck: { error: unknown } | undefined
	const failedAlone = new Set<string>()
	const sealAll = async (group: Waiting[]) => {
		const only = group.length === 1 && group[0] ? [tableOf(group[0])] : []
		try {
			if (stuck) throw stuck.error
			const gathered = group.map((one) => one.gathered)
			const published = await sealGroup(options, number++, gathered, (error) => {
				stuck = { error }
			})
			for (const table of only) failedAlone.delete(table)
			for (const [index, { resolve }] of group.entries()) resolve(published[index] ?? { replaced: false })
		} catch (error) {
			for (const table of only) failedAlone.add(table)
			for (const { reject } of group) reject(error)
		}
	}
	const start = (group: Waiting[]) => {
		running = running.then(() => sealAll(group))
	}
	const close = () => {
		clearTimeout(timer)
		timer = undefined
		if (waiting.length === 0) return
		const group = waiting
		waiting = []
		bytes = 0
		start(group)
	}
	return {
		seal: (gathered, how) =>
			new Promise((resolve, reject) => {
				const one = { gathered, resolve, reject }
				if (how === 'alone' || failedAlone.has(tableOf(one))) return start([one])
				waiting.push(one)
				bytes += gathered.bytes
				timer ??= setTimeout(close, GROUP_MS_MAX)
				if (bytes >= GROUP_BYTES_MAX || waiting.length >= GROUP_SNAPSHOTS_MAX) close()
			}),
		hurry: close,
		alone: (work) => {
			const result = running.then(work)
			const ignore = () => {}
			running = result.then(ignore, ignore)
			return result
		},
		idle: async () => {
			close()
			await running
		},
	}
}

function tableOf({ gathered }: Waiting): string {
	const { keyspace, table } = gathered.publication.key
	return `${keyspace}/${table}`
}
