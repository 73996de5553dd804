import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { TableLocation } from '../../src/cassandra/list-snapshot.ts'
import { type Engine, startThreads } from '../../src/mirror/engine.ts'
import { mirrorLive } from '../../src/mirror/mirror-live.ts'
import { withPass } from '../../src/mirror/session.ts'
import { makeTotals } from '../../src/mirror/totals.ts'
import type { SyncEvent, SyncOptions } from '../../src/mirror/types.ts'
import { makeScene, type Scene } from '../mirror/support/scene.ts'
import { flushTables } from '../support/tree.ts'
import { assertLive, liveFolder, nodeFolders, removeSSTable, trueLive } from './support/live-set.ts'
import { filesBelow } from './support/turn-scene.ts'

// A thread of ava's can't set it, as reading it does.
const umask = process.umask()
process.umask = () => umask

/** Mirrors the table once; `before` and `after` are called around each job of the engine, with how many of its name there were. */
async function mirrorWhile(
	t: ExecutionContext,
	scene: Scene,
	before: (job: string, nth: number) => void,
	after: (job: string, nth: number) => void = () => {},
): Promise<SyncEvent[]> {
	const { node, haven, state } = scene
	const events: SyncEvent[] = []
	const options: SyncOptions = {
		...{ dataDirectories: node.dataDirectories, keyspaces: ['ks'], haven, stateDirectory: state },
		...{ matchesTag: () => true, matchesTable: () => true, fullsync: true, move: false, mirrorDeletes: undefined },
		...{
			live: true,
			keepDeletedDays: undefined,
			backups: false,
			pruneBackups: undefined,
			hardlink: false,
			dryRun: false,
			settleMs: 300,
		},
		...{ newHaven: false, requireMount: false, takeOver: false, facts: {} },
	}
	const threads = startThreads()
	const totals = makeTotals((event) => events.push(event))
	const jobs = new Map<string, number>()
	const location: TableLocation = {
		keyspace: 'ks',
		table: node.folders[0] ?? '',
		dataDirectories: node.dataDirectories,
	}
	const watch = (engine: Engine): Engine => ({
		...engine,
		run: async (name, ...args) => {
			const nth = jobs.get(name) ?? 0
			jobs.set(name, nth + 1)
			before(name, nth)
			const result = await engine.run(name, ...args)
			after(name, nth)
			return result
		},
	})
	const watched = {
		...threads,
		engineFor: async (...args: Parameters<typeof threads.engineFor>) => watch(await threads.engineFor(...args)),
	}
	try {
		const { signal } = new AbortController()
		await withPass({ options, threads: watched, totals, signal }, async (pass) => {
			t.is(await mirrorLive(pass, location, { deep: true, patienceMs: 10_000 }), 'settled')
		})
	} finally {
		await threads.close()
	}
	return events
}

function tableOf({ node }: Scene): string {
	return nodeFolders(node, node.folders[0] ?? '')[0] ?? ''
}

test('an SSTable that is compacted away before it is copied is not published, and what replaced it is', async (t) => {
	const scene = makeScene(t, { sstables: 3 })
	const events = await mirrorWhile(t, scene, (job, nth) => {
		if (job !== 'gatherLiveSlice' || nth > 0) return
		removeSSTable(tableOf(scene), 'nb-2-big-')
		flushTables(scene.node)
	})
	assertLive(t, scene)
	t.is(trueLive(t, scene).length, 1)
	t.like(
		events.find(({ type }) => type === 'live'),
		{ sstables: 3, added: 3, removed: 0 },
	)
})

test('what comes, goes or is rewritten after it was gathered is seen before the set is published', async (t) => {
	const scene = makeScene(t, { sstables: 3 })
	const table = tableOf(scene)
	await mirrorWhile(t, scene, (job, nth) => {
		if (job !== 'lookForLive') return
		if (nth === 1) {
			removeSSTable(table, 'nb-1-big-')
			rmSync(join(table, 'nb-2-big-Statistics.db'))
			writeFileSync(join(table, 'nb-2-big-Statistics.db'), 'rewritten')
			flushTables(scene.node)
		}
		if (nth === 2) appendFileSync(join(table, 'nb-3-big-TOC.txt'), 'more\n')
	})
	assertLive(t, scene)
	t.is(trueLive(t, scene).length, 1)
})

test('a group that could not be made durable is undone, gathered anew and sealed alone', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell(['--sync-sstables'])
	removeSSTable(tableOf(scene), 'nb-1-big-')
	flushTables(scene.node)
	let failures = 0
	const before = standing(scene)
	let undone: unknown
	const fail = (job: string, nth: number) => {
		if (job === 'putLiveAll' && nth === 0) {
			failures++
			throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
		}
		if (job === 'undoLiveAll') undone = standing(scene)
	}
	const events = await mirrorWhile(t, scene, () => {}, fail)
	t.deepEqual(undone, before)
	t.is(failures, 1)
	assertLive(t, scene)
	t.is(trueLive(t, scene).length, 1)
	t.true(events.some(({ type }) => type === 'live'))
})

/** What stands in the table's folder, and its receipt. */
function standing(scene: Scene) {
	const receipt = join(scene.haven, '.snaphaven/live/ks', `${scene.node.folders[0]}.json`)
	return [[...filesBelow(liveFolder(scene), 'latin1')].sort(), readFileSync(receipt, 'utf8')]
}
