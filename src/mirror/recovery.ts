import type { Haven } from '../haven/haven.ts'
import type { Lease } from '../haven/lease.ts'
import type { LiveTurn } from '../haven/live-turn.ts'
import type { LiveRecovery } from '../haven/live-undo.ts'
import { placesOf } from '../haven/places.ts'
import type { Inherited } from '../haven/progress.ts'
import type { Publication } from '../haven/publish.ts'
import type { Removal } from '../haven/remove.ts'
import type { Engine } from './engine.ts'
import { flushHaven } from './flush-haven.ts'
import { placesOfLive } from './seal-live-group.ts'

/**
 * Finishes or undoes what earlier holders of the lease left half-done, each by its intent, and clears away what they had
 * only gathered, but for what is known to be durable of large snapshots: that is given back, to go on with. Folders that
 * no intent names are not touched.
 */
export async function recoverInherited(
	haven: Haven,
	lease: Lease,
	engine: Engine,
	tell: (message: string) => void,
): Promise<Inherited[]> {
	const resumable: Inherited[] = []
	for (const partial of lease.inherited) {
		for (const { path, intent } of await engine.run('findIntents', haven.base, partial)) {
			await recoverIntent(haven, engine, { partial, path, publications: intent.publications, tell })
		}
		for (const { path, turns } of await engine.run('findLiveIntents', haven.base, partial)) {
			await recoverLiveIntent(haven, engine, { partial, path, turns, tell })
		}
		// After the publications: what these leave in a place is of another seal than the one that was to be removed.
		for (const { path, removals } of await engine.run('findRemovals', haven.base, partial)) {
			await finishRemovals(haven, engine, { partial, path, removals, tell })
		}
		await lease.check()
		const begun = await engine.run('findProgress', haven.base, partial)
		resumable.push(...begun)
		if (begun.length === 0) await engine.run('removeTree', `${haven.base}/${partial}`)
	}
	return resumable
}

interface Unfinished {
	partial: string
	path: string
	publications: Publication[]
	tell: (message: string) => void
}

async function recoverIntent(haven: Haven, engine: Engine, unfinished: Unfinished): Promise<void> {
	const { partial, path, publications, tell } = unfinished
	const folders = new Set([partial])
	for (const publication of publications) {
		const { keyspace, table, tag } = publication.key
		const undone = await engine.run('recover', haven.base, partial, publication)
		const what = `what an earlier run had begun, ${keyspace}.${table} ${tag}`
		const rest = undone?.setAside === undefined ? '' : `; what was there of it is now ${undone.setAside}`
		tell(undone === undefined ? `finished ${what}` : `undid ${what}: ${undone.problem}${rest}`)
		for (const place of placesOf(publication.key)) folders.add(place)
	}
	await flushHaven({ engine, haven }, folders)
	await engine.run('unlink', `${haven.base}/${path}`)
	await engine.run('clearUp', haven.base, partial, publications)
}

interface UnfinishedLive {
	partial: string
	path: string
	turns: LiveTurn[]
	tell: (message: string) => void
}

/** New sets are finished, durably, before the old ones go; what can't be finished is undone. */
async function recoverLiveIntent(haven: Haven, engine: Engine, unfinished: UnfinishedLive): Promise<void> {
	const { partial, path, turns, tell } = unfinished
	const { base } = haven
	const forward: LiveTurn[] = []
	for (const turn of turns) {
		const recovered = await engine.run('recoverLive', base, partial, turn)
		tell(messageOf(turn, recovered))
		if (recovered.came === 'forward') forward.push(turn)
	}
	await flushHaven({ engine, haven }, [partial, ...turns.flatMap(placesOfLive)])
	const touched = await engine.run('takeLiveOutAll', base, partial, forward)
	await flushHaven({ engine, haven }, touched.flat())
	await engine.run('unlink', `${base}/${path}`)
	await engine.run('clearUpLiveAll', base, partial, turns)
}

function messageOf({ key: { keyspace, table } }: LiveTurn, recovered: LiveRecovery): string {
	const what = `what an earlier run had begun, the live SSTables of ${keyspace}.${table}`
	if (recovered.came === 'forward') return `finished ${what}`
	if (recovered.came === 'nothing') return `found finished ${what}`
	const { came, problem, setAside } = recovered
	const rest = setAside === undefined ? '' : `; what was there of it is now ${setAside}`
	if (came === 'back') return `undid ${what}: ${problem}${rest}`
	return `could neither finish nor undo ${what}: ${problem}; no set of it counts until the next one is there${rest}`
}

interface UnfinishedRemovals {
	partial: string
	path: string
	removals: Removal[]
	tell: (message: string) => void
}

/** What was taken out is cleared away with the rest of the folder. */
async function finishRemovals(haven: Haven, engine: Engine, unfinished: UnfinishedRemovals): Promise<void> {
	const { partial, path, removals, tell } = unfinished
	const out = await engine.run('takeAllOut', haven.base, partial, removals)
	for (const { key } of removals.filter((_, index) => out[index])) {
		tell(`finished what an earlier run had begun, the removal of ${key.keyspace}.${key.table} ${key.tag}`)
	}
	await flushHaven({ engine, haven }, [partial, ...out.flatMap((folders) => folders ?? [])])
	await engine.run('unlink', `${haven.base}/${path}`)
	for (const removal of removals) await engine.run('clearRemoved', haven.base, partial, removal)
}

/** Removes what earlier holders had gathered and nobody went on with. */
export async function clearInherited(haven: Haven, lease: Lease, engine: Engine): Promise<void> {
	for (const partial of lease.inherited) await engine.run('removeTree', `${haven.base}/${partial}`)
}
