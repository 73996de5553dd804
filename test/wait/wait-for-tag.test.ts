import { renameSync } from 'node:fs'
import test from 'ava'
import { tableName } from '../../src/cassandra/find-tables.ts'
import { type Waiting, waitForTag } from '../../src/mirror/wait-for-tag.ts'
import { makeScene, type Scene } from '../mirror/support/scene.ts'
import { clearSnapshot, flushTables, takeSnapshot } from '../support/tree.ts'

/** Waits for the tag of the made-up node. */
function wait({ haven, node, state }: Scene, more: Partial<Waiting>) {
	const options = {
		tag: 'daily',
		keyspaces: ['ks'],
		dataDirectories: node.dataDirectories,
		haven,
		stateDirectory: state,
		matchesTable: () => true,
	}
	const nothing = () => {}
	const { signal } = new AbortController()
	return waitForTag(options, {
		timeoutMs: 600_000,
		signal,
		onSealed: nothing,
		onProgress: nothing,
		onTrouble: nothing,
		...more,
	})
}

test('what was sealed first is looked at again in the end: it may have been taken again', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	const [one = '', two = ''] = scene.node.folders
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--include-table', tableName(one)])
	let looks = 0
	const { end, unsealed, sealed } = await wait(scene, {
		giveUp: async () => {
			looks += 1
			if (looks > 1) return true
			await scene.syncWell(['--include-table', tableName(two)])
			const first = { ...scene.node, folders: [one] }
			clearSnapshot(first, 'daily')
			flushTables(first)
			takeSnapshot(first, 'daily')
			return false
		},
	})
	t.is(end, 'given up')
	t.deepEqual(
		unsealed.map(({ location }) => location.table),
		[one],
	)
	t.deepEqual(
		sealed.map(({ location }) => location.table),
		[two],
	)
})

test('a trouble that lasts is told once, another one again', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--include-table', 't0000'])
	const troubles: string[] = []
	let looks = 0
	const { end, trouble } = await wait(scene, {
		onTrouble: (message) => troubles.push(message),
		giveUp: async () => {
			looks += 1
			if (looks === 1) renameSync(scene.haven, `${scene.haven}-unmounted`)
			if (looks === 3) renameSync(scene.node.dataDirectories[0] ?? '', `${scene.own}/data-unmounted`)
			return looks === 4
		},
	})
	t.is(end, 'given up')
	t.is(troubles.length, 2)
	t.regex(troubles[0] ?? '', /is not there now: is the NAS mounted\?$/)
	t.regex(troubles[1] ?? '', /^the data directory \S+ does not exist$/)
	t.is(trouble, troubles[1])
})
