import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { snapshotsOf } from '../../test/support/mirrored.ts'
import type { Tree } from '../../test/support/tree.ts'

/** What there is of a storm's copies. */
interface Copies {
	/** Files with their whole size. */
	files: number
	/** When the last of them was changed; ms since the epoch. */
	changedMs: number
}

/** How often is looked whether all is there. The kernel dates each change, so no figure depends on it. */
const LOOK_MS = 250

/** When a storm is over. */
interface ArrivalOptions {
	/** What else must hold when all is there. */
	isAll: () => boolean
	/** A figure that changes as long as the watcher works: what is slow to begin has lost nothing yet. */
	work: () => number
	/** So long without work or change, and what is not there is lost. */
	patienceMs: number
	/** So long in all. */
	limitMs: number
}

/**
 * Resolves when all of the node's snapshots are in the haven's mirror, `isAll` holds, and nothing has changed for a
 * second; or when patience is at its end. Returns when the last change was, in ms since the epoch; now, where a watcher
 * was stopped in the middle of its work or has copied nothing.
 */
export async function arrival(tree: Tree, haven: string, options: ArrivalOptions): Promise<number> {
	const { isAll, work, patienceMs, limitMs } = options
	const pairs = snapshotsOf(tree).flatMap(({ folder, tag, files }) =>
		[...files].map(([name, source]) => ({
			size: lstatSync(source).size,
			folder: join(haven, 'data', tree.keyspace, folder, 'snapshots', tag),
			name,
		})),
	)
	const wanted = Map.groupBy(pairs, ({ folder }) => folder)
	let before = ''
	const begun = Date.now()
	let stillSince = begun
	for (;;) {
		// While files are on their way they are counted, not looked at one by one, which would slow down what is measured.
		const names = [...wanted.keys()].reduce((total, folder) => total + namesIn(folder), 0)
		const copies = names < pairs.length ? { files: 0, changedMs: 0 } : copiesOf(pairs)
		const isWhole = copies.files === pairs.length && isAll()
		const now = JSON.stringify([names, copies, isWhole || work()])
		if (now !== before) stillSince = Date.now()
		before = now
		if (Date.now() > stillSince + (isWhole ? 1000 : patienceMs)) return copiesOf(pairs).changedMs || Date.now()
		if (Date.now() > begun + limitMs) return Date.now()
		await pause(LOOK_MS)
	}
}

function namesIn(folder: string): number {
	try {
		return readdirSync(folder).length
	} catch {
		return 0
	}
}

function copiesOf(pairs: { size: number; folder: string; name: string }[]): Copies {
	const copies = { files: 0, changedMs: 0 }
	for (const { size, folder, name } of pairs) {
		const found = lstatSync(join(folder, name), { throwIfNoEntry: false })
		if (found?.size === size) copies.files++
		copies.changedMs = Math.max(copies.changedMs, found?.ctimeMs ?? 0)
	}
	return copies
}
