import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { trueReceipts } from '../mirror/support/scene.ts'
import { clearSnapshot, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, sealedOf } from './support/service.ts'

const NOW = ['--fullsync', '--mirror-deletes', '--mirror-deletes-after', '0']

test('a service removes from the haven what is cleared on the node, and tables that are dropped with their snapshots', async (t) => {
	const scene = makeServiceScene(t, { tables: 3, dataDirectories: 2 })
	for (const tag of ['daily', 'weekly']) takeSnapshot(scene.node, tag)
	const service = scene.start(NOW)
	await service.until('the seals', () => sealedOf(scene, 'daily') === 3 && sealedOf(scene, 'weekly') === 3)
	clearSnapshot(scene.node, 'daily')
	await service.until('the removals', () => (service.said().match(/^removed ks\.\S+ daily/gm)?.length ?? 0) === 3)
	t.is(sealedOf(scene, 'daily'), 0)
	for (const path of scene.node.dataDirectories)
		rmSync(join(path, 'ks', scene.node.folders[0] ?? ''), { recursive: true })
	await service.until('the dropped table’s', () => /^removed ks\.t0000 weekly/m.test(service.said()))
	await service.stop()
	t.deepEqual(
		trueReceipts(t, scene).map(({ tag, table }) => [tag, table]),
		scene.node.folders.slice(1).map((table) => ['weekly', table]),
	)
})

test('a service removes nothing while a data directory is out of sight, and goes on when it is back', async (t) => {
	const scene = makeServiceScene(t, { dataDirectories: 2 })
	const [first = '', second = ''] = scene.node.dataDirectories
	const tags = ['daily', 'weekly']
	for (const tag of tags) takeSnapshot(scene.node, tag)
	const service = scene.start(NOW)
	await service.until('the seals', () => tags.every((tag) => sealedOf(scene, tag) === 1))
	renameSync(second, `${second}.away`)
	mkdirSync(second)
	clearSnapshot({ ...scene.node, dataDirectories: [first, `${second}.away`] }, 'daily')
	const reason = /stay in the haven: \S+\/data2 has no folder of the keyspace/
	await service.until('the reason', () => reason.test(service.said()))
	// A further look at the table.
	service.process.kill('SIGHUP')
	takeSnapshot({ ...scene.node, dataDirectories: [first] }, 'since')
	await service.until('what was taken since', () => sealedOf(scene, 'since') === 1)
	t.is(sealedOf(scene, 'daily'), 1)
	rmdirSync(second)
	renameSync(`${second}.away`, second)
	await service.until('the removal', () => sealedOf(scene, 'daily') === 0)
	await service.stop()
	t.deepEqual(
		trueReceipts(t, scene).map(({ tag }) => tag),
		['since', 'weekly'],
	)
})
