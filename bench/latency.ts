import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { flushTables, makeTree, type Tree, tagFolders, takeSnapshot } from '../test/support/tree.ts'
import { median } from './support/median.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import type { Scenario } from './support/scenario.ts'
import { havenIn } from './support/snaphaven.ts'
import { snaphaven } from './support/watchers.ts'

const snapshots = { full: 20, smoke: 2 }

/** How long a seal is waited for before it counts as lost. */
const PATIENCE_MS = 60_000

/** How soon after `nodetool snapshot` a small tag is safe. */
export const latency: Scenario = {
	name: 'latency',
	title: '20 snapshots of 5 small tables, one after another: from the last schema.cql to the last receipt',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(256, (source) =>
			onTmpfs(256, async (target) => {
				const tree = makeTree(join(source, 'node'), { tables: 5 })
				const watching = await snaphaven.start(tree, target)
				const seconds: number[] = []
				try {
					for (let number = 0; number < snapshots[scale]; number++) {
						// Of another length each time, so that no sweep is always just due.
						if (scale === 'full') await pause(1000 + ((number * 370) % 1000))
						flushTables(tree)
						seconds.push(await secondsToSeal(tree, havenIn(target), `tag-${number}`))
					}
				} finally {
					await watching.stop()
				}
				return [
					{ what: 'median', value: median(seconds), unit: 's', atMost: 1 },
					{ what: 'longest', value: Math.max(...seconds), unit: 's' },
				]
			}),
		),
}

/** Takes a snapshot, and waits until all tables have their receipts; compares the kernel's times of both. */
async function secondsToSeal(tree: Tree, haven: string, tag: string): Promise<number> {
	takeSnapshot(tree, tag)
	const schemas = tagFolders(tree, tag).map(({ path }) => join(path, 'schema.cql'))
	const receipts = tree.folders.map((folder) =>
		join(haven, '.snaphaven/receipts', tree.keyspace, folder, `${tag}.json`),
	)
	const end = Date.now() + PATIENCE_MS
	while (!receipts.every((path) => existsSync(path))) {
		if (Date.now() > end) throw new Error(`no seal of ${tag} within ${PATIENCE_MS / 1000} s`)
		await pause(20)
	}
	const written = Math.max(...schemas.map((path) => statSync(path).mtimeMs))
	// A receipt is renamed into place as the last step, which sets its ctime.
	return (Math.max(...receipts.map((path) => statSync(path).ctimeMs)) - written) / 1000
}
