import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { makeScene, trueReceipts } from '../mirror/support/scene.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, type ServiceScene, sealedOf } from './support/service.ts'

type Place = 'data/T' | 'data/T/snapshots' | 'receipts/T'

/** A file in the haven where a table's folder is to be. */
function block({ haven, node }: Pick<ServiceScene, 'haven' | 'node'>, place: Place): string {
	const [root = '', ...rest] = place.replace('T', node.folders[0] ?? '').split('/')
	const file = join(haven, root === 'data' ? 'data' : '.snaphaven/receipts', node.keyspace, ...rest)
	mkdirSync(dirname(file), { recursive: true })
	writeFileSync(file, 'a file in its place')
	return file
}

async function othersGoOn(t: Parameters<typeof makeServiceScene>[0], scene: ServiceScene, place: Place) {
	const service = scene.start()
	await service.ready()
	const file = block(scene, place)
	takeSnapshot(scene.node, 'daily')
	await service.until('the others', () => sealedOf(scene, 'daily') === 2)
	await service.until('that it fails', () => /^(error|failed).*a place in the haven fails/m.test(service.said()))
	takeSnapshot(scene.node, 'weekly', { folders: scene.node.folders.slice(1) })
	await service.until('the others again', () => sealedOf(scene, 'weekly') === 2)
	t.is(service.said().match(/^(error|failed)/gm)?.length, 1, service.said())
	rmSync(file)
	await service.until('the seal', () => sealedOf(scene, 'daily') === 3)
	await service.stop()
	t.regex(service.said(), /^(error|failed).*t0000.*ENOTDIR.*haven\//m)
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 5)
}

for (const place of ['data/T', 'data/T/snapshots', 'receipts/T'] as const) {
	test(`a file in the haven at ${place} keeps that table alone from being sealed, until it is gone`, async (t) => {
		await othersGoOn(t, makeServiceScene(t, { tables: 3 }), place)
	})
}

testWhere(nasfsMissing(), 'on a NAS too a bad place in the haven is of its table alone', async (t) => {
	const nas = await mountNas()
	t.teardown(nas.unmount)
	await othersGoOn(t, makeServiceScene(t, { tables: 3, haven: join(nas.path, 'haven') }), 'data/T/snapshots')
})

test('a single pass names what fails at one place in the haven, and mirrors the rest', async (t) => {
	for (const place of ['data/T', 'receipts/T'] as const) {
		const scene = makeScene(t, { tables: 3 })
		takeSnapshot(scene.node, 'daily')
		block(scene, place)
		const { exitCode, stderr } = await scene.sync()
		t.is(exitCode, 1)
		t.is(stderr.match(/a place in the haven fails, and the haven itself works: ENOTDIR/g)?.length, 1, stderr)
		t.is(sealedOf(scene, 'daily'), 2)
	}
})
