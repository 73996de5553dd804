import type { Haven } from '../haven/haven.ts'
import { gathering, PARTIAL, receiptsFolder, snapshotsFolder } from '../haven/layout.ts'
import type { Lease } from '../haven/lease.ts'
import { placesOf } from '../haven/places.ts'
import type { Publication, Published } from '../haven/publish.ts'
import { havenTrouble } from '../haven/trouble.ts'
import type { Engine } from './engine.ts'
import { flushHaven } from './flush-haven.ts'
import type { Gathered } from './gather-order.ts'

/** Publishes gathered snapshots in groups, so that one flush serves many. */
export interface Sealer {
	/**
	 * Resolves when the snapshot and its receipt are durable under their own names. Rejects where its group could not be
	 * made so: then nothing of it is visible, and what was gathered is gone.
	 */
	seal: (gathered: Gathered) => Promise<Published>
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

interface SealerOptions {
	haven: Haven
	lease: Lease
	engine: Engine
}

/** Makes a sealer; one group is sealed at a time, while the next fills. */
export function makeSealer(options: SealerOptions): Sealer {
	let waiting: Waiting[] = []
	let bytes = 0
	let number = 0
	let timer: NodeJS.Timeout | undefined
	let running: Promise<void> = Promise.resolve()
	const close = () => {
		clearTimeout(timer)
		timer = undefined
		if (waiting.length === 0) return
		const group = waiting
		waiting = []
		bytes = 0
		running = running.then(() => sealGroup(options, number++, group))
	}
	return {
		seal: (gathered) =>
			new Promise((resolve, reject) => {
				waiting.push({ gathered, resolve, reject })
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

async function sealGroup(options: SealerOptions, number: number, group: Waiting[]): Promise<void> {
	const { engine, haven, lease } = options
	const publications = group.map(({ gathered }) => gathered.publication)
	const intent = gathering.intent(lease.partial, number)
	let begun = false
	try {
		await lease.check()
		await engine.run('writeIntent', haven.base, intent, publications, haven.flushWay === 'each file')
		await flushHaven(options, [lease.partial, PARTIAL, '.', ...publications.flatMap(({ key }) => placesOf(key))])
		await lease.check()
		begun = true
		const published = await inChunks(publications, (chunk) =>
			engine.run('publishAll', haven.base, lease.partial, chunk),
		)
		await flushHaven(options, [
			lease.partial,
			...publications.flatMap(({ key }) => [snapshotsFolder(key), receiptsFolder(key)]),
		])
		await engine.run('unlink', `${haven.base}/${intent}`)
		const untidy = publications.filter((_, index) => published[index]?.replaced || group[index]?.gathered.inSlices)
		if (untidy.length > 0) await engine.run('clearUp', haven.base, lease.partial, untidy)
		group.forEach(({ resolve }, index) => {
			resolve(published[index] ?? { replaced: false })
		})
	} catch (error) {
		await undo(options, { intent, publications, begun }).catch(() => {})
		const told = havenTrouble(error)
		for (const { reject } of group) reject(told)
	}
}

/**
 * After a failure nothing that the group published may count: a flush that failed proves nothing, also when it succeeds
 * the next time. What can't be undone now stands behind the intent, for the next start.
 */
async function undo(
	{ engine, haven, lease }: SealerOptions,
	{ intent, publications, begun }: { intent: string; publications: Publication[]; begun: boolean },
): Promise<void> {
	const { base } = haven
	if (begun) await engine.run('withdrawAll', base, lease.partial, publications)
	for (const { number } of publications) {
		await engine.run('discard', { base, partial: lease.partial, number })
		await engine.run('removeTree', `${base}/${gathering.bad(lease.partial, number)}`)
	}
	await engine.run('removeTree', `${base}/${intent}`)
}

const CHUNK = 64

async function inChunks<T, R>(items: T[], work: (chunk: T[]) => Promise<R[]>): Promise<R[]> {
	const chunks: Promise<R[]>[] = []
	for (let at = 0; at < items.length; at += CHUNK) chunks.push(work(items.slice(at, at + CHUNK)))
	return (await Promise.all(chunks)).flat()
}
