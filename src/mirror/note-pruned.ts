import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere } from '../files/operations.ts'
import { type PrunedSnapshot, readBaseline, writeBaseline } from '../haven/baseline.ts'
import { readSnapshotHead } from '../haven/receipts.ts'
import type { Removable } from './remover.ts'

/**
 * Notes down, durably, which of the snapshots that are about to be pruned are on the node still, so that no later pass
 * takes them for new. Forgets those that were pruned before and are gone from the node by now. Gives what was added.
 */
export function* notePruned(
	base: string,
	partial: string,
	wanted: Removable[],
	how: { flushFolders: boolean },
): Io<PrunedSnapshot[]> {
	const added: PrunedSnapshot[] = []
	for (const { key, receiptId } of wanted) {
		const head = yield* readSnapshotHead(base, key)
		if (head?.id !== receiptId) continue
		const folders = head.source.folders.filter(({ path }) => path === '')
		const identity = folders.map(({ dataDirectory, ino, mtimeNs }) => `${dataDirectory} ${ino} ${mtimeNs}`)
		const pruned = { keyspace: key.keyspace, table: key.table, tag: key.tag, identity }
		if (yield* isOnNode(pruned)) added.push(pruned)
	}
	const baseline = yield* readBaseline(base)
	const known: PrunedSnapshot[] = []
	for (const one of baseline.pruned ?? []) if (yield* isOnNode(one)) known.push(one)
	if (added.length === 0 && known.length === (baseline.pruned ?? []).length) return []
	yield* writeBaseline(base, partial, { ...baseline, pruned: [...known, ...added] }, how)
	return added
}

/** Whether one of its folders is on the node as it was; one that can't be looked at may be. */
function* isOnNode({ keyspace, table, tag, identity }: PrunedSnapshot): Io<boolean> {
	for (const folder of identity) {
		const [, dataDirectory = '', ino, mtimeNs] = /^(.*) (\d+) (\d+)$/s.exec(folder) ?? []
		try {
			const found = yield* lstatIfThere(pathOf(`${dataDirectory}/${keyspace}/${table}/snapshots/${tag}`))
			if (found && String(found.ino) === ino && String(found.mtimeNs) === mtimeNs) return true
			// The disk may be unmounted for now.
			if (!found && !(yield* lstatIfThere(pathOf(`${dataDirectory}/${keyspace}`)))) return true
		} catch (error) {
			if (!hasCode(error)) throw error
			return true
		}
	}
	return false
}
