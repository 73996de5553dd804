import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runSync } from '../../src/files/io.ts'
import { gatherSnapshot } from '../../src/mirror/gather.ts'
import type { GatherOrder } from '../../src/mirror/gather-order.ts'
import { SLICE_BYTES_MAX } from '../../src/mirror/slices.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeScene, mirrored } from './support/scene.ts'

test('where much that was to be shared has to be copied, the snapshot is divided; a little is copied at once', async (t) => {
	const scene = makeScene(t, { dataBytes: 40_000_000, sstables: 2 })
	const { node, haven } = scene
	takeSnapshot(node, 'daily')
	await scene.syncWell()
	takeSnapshot(node, 'weekly')
	const partial = '.snaphaven/partial/test'
	mkdirSync(join(haven, partial))
	const order: GatherOrder = {
		...{ base: haven, path: haven, partial, number: 1, tag: 'weekly', reuseTags: ['daily'], isSealed: false },
		location: { keyspace: node.keyspace, table: node.folders[0] ?? '', dataDirectories: node.dataDirectories },
		...{ settleMs: 0, hardlink: false, move: false, canLink: true, canReflink: false, sharedDevices: [] },
		...{ flushFailures: 0, flushEach: false, umask: 0o22, width: 1, stopped: new Int32Array(1) },
		budget: SLICE_BYTES_MAX,
	}
	await new Promise((resolve) => setTimeout(resolve, 300))
	rmSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db'))
	const little = runSync(gatherSnapshot(order))
	t.is(little.answer, 'gathered')
	t.deepEqual('amounts' in little && [little.amounts.copied.files, little.amounts.reused.files], [3, 15])
	rmSync(join(mirrored(scene, 'daily'), 'nb-2-big-Data.db'))
	const much = runSync(gatherSnapshot({ ...order, number: 2 }))
	t.is(much.answer, 'planned')
	t.deepEqual(readdirSync(join(haven, partial)).sort(), ['1', '1.json'])
})
