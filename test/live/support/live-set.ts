import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { ExecutionContext } from 'ava'
import { hasCode } from '../../../src/files/io.ts'
import type { Scene } from '../../mirror/support/scene.ts'
import { liesOf, type ReceiptText, readReceiptsIn } from '../../support/receipts.ts'
import type { Tree } from '../../support/tree.ts'
import { filesBelow } from './turn-scene.ts'

type Place = Pick<Scene, 'haven' | 'node'>

/** A table's folder in the haven. */
export function liveFolder({ haven, node }: Place, table = node.folders[0] ?? ''): string {
	return join(haven, 'data', node.keyspace, table)
}

/** A table's folders on the node, one for each data directory. */
export function nodeFolders(node: Tree, table: string): string[] {
	return node.dataDirectories.map((directory) => join(directory, node.keyspace, table))
}

/** Removes an SSTable, as a compaction does. */
export function removeSSTable(folder: string, prefix: string): void {
	for (const name of readdirSync(folder)) if (name.startsWith(prefix)) rmSync(join(folder, name))
}

/** The haven has of each table the very files that stand on the node, all data directories merged: how many they are. */
export function assertLive(t: ExecutionContext, { haven, node }: Place): number {
	let count = 0
	for (const table of node.folders) {
		const own = nodeFolders(node, table).flatMap((folder) => liveFiles(folder))
		const copy = liveFiles(liveFolder({ haven, node }, table))
		t.deepEqual(copy.map(([path]) => path).sort(), own.map(([path]) => path).sort())
		t.deepEqual(copy.sort(), own.sort())
		count += own.length
	}
	return count
}

/** Whether it has just these; not while files go as they are read. */
export function isLive({ haven, node }: Place): boolean {
	try {
		return node.folders.every((table) => {
			const own = nodeFolders(node, table).flatMap((folder) => liveFiles(folder))
			return isDeepStrictEqual(liveFiles(liveFolder({ haven, node }, table)).sort(), own.sort())
		})
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return false
		throw error
	}
}

function liveFiles(folder: string): [path: string, bytes: string][] {
	return [...filesBelow(folder, 'latin1')].filter(([path]) => !path.startsWith('snapshots/') && !path.endsWith('.log'))
}

/** The receipts of live sets, each of which has to be true to the byte, and nothing is to lie half done. */
export function trueLive(t: ExecutionContext, { haven }: Pick<Place, 'haven'>): ReceiptText[] {
	const found = readReceiptsIn(join(haven, '.snaphaven/live'))
	t.deepEqual(
		found.filter((one) => 'broken' in one),
		[],
	)
	const receipts = found.flatMap((one) => ('receipt' in one ? [one.receipt] : []))
	for (const receipt of receipts) t.deepEqual(liesOf(haven, receipt), [])
	t.deepEqual(readdirSync(join(haven, '.snaphaven/partial')), [])
	return receipts
}
