import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import PQueue from 'p-queue'
import { runAsync } from '../../src/files/io.ts'
import { LIVE } from '../../src/haven/layout.ts'
import { type Engine, start } from '../../src/mirror/engine.ts'
import { verifyTable } from '../../src/mirror/verify-table.ts'
import type { VerifyEvent } from '../../src/mirror/verify-types.ts'
import { liveFolder, nodeFolders, removeSSTable } from '../live/support/live-set.ts'
import { makeScene, objectsOf } from '../mirror/support/scene.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'
import { damagesOf, flipBit, verify } from './support.ts'

test('live sets are read to the byte with the snapshots, and what stands beside them is not told of as unknown', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--sync-sstables'])
	const good = await verify(scene, ['--json'])
	t.is(good.exitCode, 0, good.stderr)
	t.like(objectsOf(good).at(-1), { snapshots: 2, damages: 0, extra: 0, files: 2 * 8 + 2 })
	rmSync(join(liveFolder(scene), 'nb-1-big-Index.db'))
	flushTables(scene.node)
	await scene.syncWell(['--sync-sstables'])
	flipBit(join(liveFolder(scene), 'nb-3-big-Data.db'))
	writeFileSync(join(liveFolder(scene), 'nb-9-big-Data.db'), 'a stranger')
	const bad = await verify(scene, ['--json'])
	t.is(bad.exitCode, 3)
	const place = `data/ks/${scene.node.folders[0]}`
	t.deepEqual(damagesOf(bad), [
		[`${place}/nb-1-big-Index.db`, 'missing'],
		[`${place}/nb-3-big-Data.db`, 'other bytes'],
	])
	t.like(objectsOf(bad).at(-1), { extra: 1, damaged: 1 })
	t.regex((await verify(scene)).stderr, /^extra: ks\/t0000-\w+: 1 file that its receipt does not know/m)
	t.is((await verify(scene, ['-t', 'daily'])).exitCode, 0)
})

test('a live set that becomes another while it is verified is no damage, and real damage is told all the same', async (t) => {
	const scene = makeScene(t, { sstables: 3 })
	await scene.syncWell(['--sync-sstables'])
	const [folder = ''] = nodeFolders(scene.node, scene.node.folders[0] ?? '')
	const key = { keyspace: 'ks', table: scene.node.folders[0] ?? '', tag: LIVE }
	flipBit(join(liveFolder(scene), 'nb-3-big-Data.db'))
	let turns = 0
	const run: Engine['run'] = async (name, ...args) => {
		if (name === 'readPieces' && turns++ === 0) {
			removeSSTable(folder, 'nb-1-big-')
			appendFileSync(join(folder, 'nb-2-big-TOC.txt'), 'more\n')
			flushTables(scene.node)
			await scene.syncWell(['--sync-sstables'])
		}
		return (await runAsync(start(name, args))) as never
	}
	const events: VerifyEvent[] = []
	const work = {
		base: scene.haven,
		engine: { run, slices: 2, width: 1 },
		queue: new PQueue({ concurrency: 2 }),
		...{ grainNs: undefined, quick: false, dataDirectories: [], onRead: () => {} },
		signal: new AbortController().signal,
		tell: (event: VerifyEvent) => void events.push(event),
	}
	const verified = await verifyTable(work, [key])
	t.deepEqual(
		events.flatMap((event) => (event.type === 'damage' ? event.damage.paths : [event.type])),
		[`data/ks/${key.table}/nb-3-big-Data.db`],
	)
	t.like(verified, { snapshots: 1, damaged: 1, proven: [] })
})
