import { gathering, PARTIAL, snapshotFolder } from '../haven/layout.ts'
import { type LiveTurn, type PutLive, placesOfTurn } from '../haven/live-turn.ts'
import { havenTrouble } from '../haven/trouble.ts'
import { checkFlushes, flushGroup, flushHaven } from './flush-haven.ts'
import type { ReadyLive } from './live-look.ts'
import { type GroupOptions, inChunks, notUndone } from './seal-group.ts'

/**
 * Makes some tables' gathered live sets count, in four steps, each durable before the next: the intent; what is new, and
 * the receipts; what only the old sets had goes; the intent goes. Rejects with what failed, as it is to be told: all is
 * then as it was before, or `onStuck` was told, and the next start goes on by the intent.
 */
export async function sealLiveGroup(
	options: GroupOptions,
	number: number,
	group: ReadyLive[],
	onStuck: (error: unknown) => void,
): Promise<PutLive[]> {
	const { engine, haven, lease, trial } = options
	const { base } = haven
	const { partial } = lease
	const turns = group.map(({ publication }) => publication)
	const intent = gathering.liveIntent(partial, number)
	let step: 'intent' | 'put' | 'remove' = 'intent'
	try {
		checkFlushes(haven, group)
		await lease.check()
		await engine.run('writeLiveIntent', base, intent, turns, haven.flushWay === 'each file')
		const gathered = turns.flatMap((turn) => [...gatheredFolders(partial, turn)])
		await flushGroup(options, group, [partial, PARTIAL, '.', ...gathered])
		await lease.check()
		step = 'put'
		const put = await inChunks(turns, (chunk) => engine.run('putLiveAll', base, partial, chunk))
		await flushGroup(options, group, [partial, ...turns.flatMap(placesOfLive)])
		await lease.check()
		step = 'remove'
		const touched = await inChunks(turns, (chunk) => engine.run('takeLiveOutAll', base, partial, chunk))
		if (touched.some((folders) => folders.length > 0)) await flushHaven(options, touched.flat())
		await engine.run('unlink', `${base}/${intent}`)
		// All of it counts by now: what is left in partial goes with the lease.
		await inChunks(turns, (chunk) => engine.run('clearUpLiveAll', base, partial, chunk)).catch(() => {})
		return put
	} catch (error) {
		const told = havenTrouble(error)
		if (step === 'remove') {
			const failed = trial.settled(notUndone(told, told))
			onStuck(failed)
			throw failed
		}
		try {
			if (step === 'put') await inChunks(turns, (chunk) => engine.run('undoLiveAll', base, partial, chunk))
			await engine.run('clearUpLiveAll', base, partial, turns)
			await engine.run('removeTree', `${base}/${intent}`)
		} catch (again) {
			const failed = trial.settled(notUndone(told, havenTrouble(again)))
			onStuck(failed)
			throw failed
		}
		throw await trial.judge(told)
	}
}

function* gatheredFolders(partial: string, { number, add, folders }: LiveTurn): Generator<string> {
	if (add.length === 0) return
	const folder = gathering.folder(partial, number)
	yield folder
	for (const path of folders) if (add.some((one) => one.startsWith(`${path}/`))) yield `${folder}/${path}`
}

/** The folders in the haven whose entries a turn may change. */
export function placesOfLive({ key, folders }: Pick<LiveTurn, 'key' | 'folders'>): string[] {
	return [...placesOfTurn(key), ...folders.map((folder) => `${snapshotFolder(key)}/${folder}`)]
}
