import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { assertLive, isLive, liveFolder, nodeFolders, removeSSTable, trueLive } from '../live/support/live-set.ts'
import { fingerprint } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, sealedOf } from './support/service.ts'

const LIVE = ['--sync-sstables']

test('the service follows what is flushed and compacted, in secondary indexes too, and mirrors snapshots beside', async (t) => {
	const scene = makeServiceScene(t, { tables: 2, dataDirectories: 2 })
	const service = scene.start(LIVE)
	await service.until('the first set', () => isLive(scene))
	flushTables(scene.node)
	await service.until('a flush', () => isLive(scene))
	takeSnapshot(scene.node, 'daily')
	await service.until('the snapshot', () => sealedOf(scene, 'daily') === 2)
	const folders = scene.node.folders.flatMap((table) => nodeFolders(scene.node, table))
	for (const folder of folders) removeSSTable(folder, 'nb-1-big-')
	await service.until('a compaction', () => isLive(scene))
	const [folder = ''] = folders
	mkdirSync(join(folder, '.by_city'))
	const index = (component: string) => join(folder, `.by_city/nb-1-big-${component}`)
	for (const component of ['Data.db', 'Index.db', 'Statistics.db']) writeFileSync(index(component), component)
	await service.until('an index', () => isLive(scene))
	for (const component of ['Data.db', 'Index.db', 'Statistics.db']) rmSync(index(component))
	rmSync(join(folder, '.by_city'), { recursive: true })
	await service.until('the end of an index', () => isLive(scene))
	const status = await runCli(['status', '-s', scene.haven], { stateDirectory: scene.state })
	t.regex(status.stdout, /^live: +7 SSTables came \(.*\) and 3 went, the last change /m)
	await service.stop()
	assertLive(t, scene)
	t.is(trueLive(t, scene).length, 2)
	t.regex(service.said(), /^live ks\.t0000: \d live SSTables, 1 new/m)
})

test('a service that starts again over live SSTables that have not changed writes nothing', async (t) => {
	const scene = makeServiceScene(t)
	const first = scene.start(LIVE)
	await first.until('the first set', () => isLive(scene))
	await first.stop()
	const before = fingerprint(join(scene.haven, 'data'))
	const second = scene.start([...LIVE, '-v', '2'])
	await second.ready()
	flushTables(scene.node)
	await second.until('a flush', () => isLive(scene))
	await second.stop()
	const after = new Set(fingerprint(join(scene.haven, 'data')))
	t.deepEqual(
		before.filter((line) => /nb-/.test(line) && !after.has(line)),
		[],
	)
})

test('a table whose set can’t be told is told of once, and in status, until it can be', async (t) => {
	const scene = makeServiceScene(t)
	const [folder = ''] = nodeFolders(scene.node, scene.node.folders[0] ?? '')
	const log = join(folder, 'nb_txn_compaction_00000002-e58a-11f1-ba75-8140cf8cdd6e.log')
	const service = scene.start(LIVE)
	await service.until('the first set', () => isLive(scene))
	writeFileSync(log, 'ADD:[half a line\nCOMMIT:[,0,0][1]\n')
	await service.until('the damaged log', () => /^damaged: .*the transaction log .* is damaged/m.test(service.said()))
	flushTables(scene.node)
	rmSync(log)
	await service.until('the set', () => isLive(scene))
	await service.stop()
	t.is(service.said().match(/^damaged: /gm)?.length, 1)
})

test('with --keep-deleted the service keeps what goes, and forgets the days that are over', async (t) => {
	const scene = makeServiceScene(t)
	const [folder = ''] = nodeFolders(scene.node, scene.node.folders[0] ?? '')
	const old = join(scene.haven, '.snaphaven/deleted/2020-01-01')
	const first = scene.start([...LIVE, '--keep-deleted', '1'])
	await first.until('the first set', () => isLive(scene))
	const data = readFileSync(join(folder, 'nb-1-big-Data.db'))
	removeSSTable(folder, 'nb-1-big-')
	await first.until('a compaction', () => isLive(scene))
	await first.stop()
	mkdirSync(join(old, 'ks'), { recursive: true })
	const second = scene.start([...LIVE, '--keep-deleted', '1'])
	await second.until('the old day to go', () => !existsSync(old))
	await second.stop()
	const kept = join(scene.haven, '.snaphaven/deleted')
	const path = readdirSync(kept, { recursive: true, encoding: 'utf8' }).find((one) => one.endsWith('nb-1-big-Data.db'))
	t.deepEqual(readFileSync(join(kept, path ?? '')), data)
	t.false(existsSync(join(liveFolder(scene), 'nb-1-big-Data.db')))
})
