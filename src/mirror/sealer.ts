import type { Published } from '../haven/publish.ts'
import type { Gathered } from './gather-order.ts'
import { type GroupOptions, sealGroup } from './seal-group.ts'

/** Something of a table that can be published. */
interface Sealable {
	publication: { key: { keyspace: string; table: string } }
	/** What it weighs in a group. */
	bytes: number
}

/** Publishes gathered snapshots, or live sets, in groups, so that one flush serves many. */
export interface Sealer<G extends Sealable = Gathered, P = Published> {
	/**
	 * Resolves when the snapshot and its receipt are durable under their own names. Rejects where its group could not be
	 * made so: then nothing of it is visible, and what was gathered is gone. With a failure of the haven where that could
	 * not be undone either: then the intent stays for the next start, and nothing more is sealed.
	 * `alone`: in a group of its own.
	 */
	seal: (gathered: G, how?: 'in a group' | 'alone') => Promise<P>
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

interface Waiting<G, P> {
	gathered: G
	resolve: (published: P) => void
	reject: (error: unknown) => void
}

/** Makes a sealer of snapshots. */
export function makeSealer(options: GroupOptions): Sealer {
	return sealInGroups((number, group, onStuck) => sealGroup(options, number, group, onStuck))
}

/** Seals the group of this number: a result for each. `onStuck` as in sealGroup. */
type SealGroup<G, P> = (number: number, group: G[], onStuck: (error: unknown) => void) => Promise<P[]>

/**
 * Makes a sealer; one group is sealed at a time, while the next fills. A table that failed alone goes alone until it is
 * sealed, so that it does not fail groups again and again.
 */
export function sealInGroups<G extends Sealable, P>(seal: SealGroup<G, P>): Sealer<G, P> {
	let waiting: Waiting<G, P>[] = []
	let bytes = 0
	let number = 0
	let timer: NodeJS.Timeout | undefined
	let running: Promise<void> = Promise.resolve()
	let stuck: { error: unknown } | undefined
	const failedAlone = new Set<string>()
	const sealAll = async (group: Waiting<G, P>[]) => {
		const only = group.length === 1 && group[0] ? [tableOf(group[0])] : []
		try {
			if (stuck) throw stuck.error
			const gathered = group.map((one) => one.gathered)
			const published = await seal(number++, gathered, (error) => {
				stuck = { error }
			})
			for (const table of only) failedAlone.delete(table)
			for (const [index, { resolve }] of group.entries()) resolve(published[index] as P)
		} catch (error) {
			for (const table of only) failedAlone.add(table)
			for (const { reject } of group) reject(error)
		}
	}
	const start = (group: Waiting<G, P>[]) => {
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

function tableOf({ gathered }: { gathered: Sealable }): string {
	const { keyspace, table } = gathered.publication.key
	return `${keyspace}/${table}`
}
