import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { mirrored, objectsOf, trueReceipts } from '../mirror/support/scene.ts'
import { takeSnapshot } from '../support/tree.ts'
import { flipBit, verify } from '../verify/support.ts'
import { makeServiceScene, sealedOf } from './support/service.ts'

test('beside a running service verify --repair works through it, which tells of it and goes on sealing', async (t) => {
	const scene = makeServiceScene(t)
	const service = scene.start()
	await service.ready()
	takeSnapshot(scene.node, 'first')
	await service.until('first is sealed', () => sealedOf(scene, 'first') === 1)
	const path = join(mirrored(scene, 'first'), 'nb-1-big-Data.db')
	const good = readFileSync(path)
	flipBit(path)
	const lost = join(mirrored(scene, 'first'), 'nb-1-big-Index.db')
	rmSync(lost)
	const result = await verify(scene, ['--repair', '--json', ...scene.node.flags])
	t.is(result.exitCode, 3, result.stderr)
	t.is(objectsOf(result).filter(({ type }) => type === 'repaired').length, 2, result.stdout + result.stderr)
	t.deepEqual(readFileSync(path), good)
	await service.until('it tells of both', () => service.said().match(/^repaired .*/gm)?.length === 2)
	takeSnapshot(scene.node, 'second')
	await service.until('second is sealed', () => sealedOf(scene, 'second') === 1)
	await service.stop()
	trueReceipts(t, scene)
	t.is((await verify(scene, scene.node.flags)).exitCode, 0)
})
