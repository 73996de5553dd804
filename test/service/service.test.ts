import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { mirrored, trueReceipts } from '../mirror/support/scene.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { clearSnapshot, flushTables, makeTree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, receiptOf, sealedOf } from './support/service.ts'

test('snapshots are sealed as they are taken, also those begun before the service watches', async (t) => {
	const scene = makeServiceScene(t, { tables: 40, dataDirectories: 2 })
	const service = scene.start()
	for (const tag of ['one', 'two', 'three']) {
		flushTables(scene.node)
		takeSnapshot(scene.node, tag)
	}
	// What was settled at the very first look is left alone: the rest of the test is about what came after it.
	await service.ready()
	takeSnapshot(scene.node, 'four')
	await service.until('the last tag', () => sealedOf(scene, 'four') === 40)
	await service.stop()
	const again = scene.start(['--fullsync'])
	await again.until('all tags', () => ['one', 'two', 'three'].every((tag) => sealedOf(scene, tag) === 40))
	await again.stop()
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 160)
})

test('without --fullsync what was there at first is left alone; what was taken while it was down is caught up with', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'before')
	for (const { path } of tagFolders(scene.node, 'before')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
	const first = scene.start()
	const begun = /^begun: keyspace ks is kept from now on; 2 snapshots that were there before are left alone/m
	await first.until('its beginning', () => begun.test(first.said()))
	await first.stop()
	takeSnapshot(scene.node, 'meanwhile')
	const second = scene.start()
	await second.until('what was taken meanwhile', () => sealedOf(scene, 'meanwhile') === 2)
	t.is(sealedOf(scene, 'before'), 0)
	// The same tag taken anew is another snapshot.
	clearSnapshot(scene.node, 'before')
	takeSnapshot(scene.node, 'before')
	await second.until('the tag that was taken anew', () => sealedOf(scene, 'before') === 2)
	await second.stop()
	t.notRegex(second.said(), /^begun/m)
})

test('a keyspace that is added later has a beginning of its own', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const first = scene.start()
	await first.ready()
	await first.stop()
	const other = makeTree(scene.node.root, { tables: 1, keyspace: 'other', seed: 2 })
	const there = { ...scene, node: other }
	takeSnapshot(other, 'old')
	for (const { path } of tagFolders(other, 'old')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
	takeSnapshot(scene.node, 'new')
	const second = scene.start([], { keyspaces: ['ks', 'other', 'later'] })
	await second.until('the first keyspace', () => sealedOf(scene, 'new') === 1)
	takeSnapshot(other, 'new')
	await second.until('the second keyspace', () => receiptOf(there, 'new') !== '')
	t.is(receiptOf(there, 'old'), '')
	const later = makeTree(scene.node.root, { tables: 1, keyspace: 'later', seed: 3 })
	takeSnapshot(later, 'first')
	await second.until(
		'a keyspace that was not there at the start',
		() => receiptOf({ ...scene, node: later }, 'first') !== '',
	)
	await second.stop()
})

test('--move-snapshots frees the node as tables are sealed', async (t) => {
	const scene = makeServiceScene(t, { tables: 10 })
	const service = scene.start(['--move-snapshots'])
	await service.ready()
	takeSnapshot(scene.node, 'daily')
	await service.until('the node is free', () => tagFolders(scene.node, 'daily').every(({ path }) => !existsSync(path)))
	await service.stop()
	t.is(trueReceipts(t, scene).length, 10)
})

test('a snapshot that changes after its seal is taken again; a TOC.txt rewritten in place is no change', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const service = scene.start()
	await service.ready()
	takeSnapshot(scene.node, 'daily')
	await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
	const before = receiptOf(scene, 'daily')
	const [{ path = '' } = {}] = tagFolders(scene.node, 'daily')
	writeFileSync(join(path, 'nb-1-big-TOC.txt'), 'Data.db\nTOC.txt\nSAI+aa+later+Meta.db\n')
	service.process.kill('SIGHUP')
	takeSnapshot(scene.node, 'later')
	await service.until('a later one', () => sealedOf(scene, 'later') === 1)
	t.is(receiptOf(scene, 'daily'), before)
	// In place: no folder's time tells it.
	writeFileSync(join(path, 'schema.cql'), 'CREATE TABLE ks.x (a int PRIMARY KEY);\nCREATE INDEX y ON ks.x (b);\n')
	service.process.kill('SIGHUP')
	await service.until('another receipt', () => receiptOf(scene, 'daily') !== before)
	await service.stop()
	assertMirrored(scene.node, scene.haven)
})

test('a snapshot that never settles is told of once, holds up no other, and is sealed when it settles after all', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const service = scene.start()
	await service.ready()
	takeSnapshot(scene.node, 'stuck', { folders: scene.node.folders.slice(0, 1) })
	const [{ path = '' } = {}] = tagFolders(scene.node, 'stuck')
	const [data, aside] = [join(path, 'nb-1-big-Data.db'), join(scene.own, 'aside')]
	renameSync(data, aside)
	const long = new Date(Date.now() - 120_000)
	utimesSync(path, long, long)
	await service.until('that it is waited for', () => /^waiting .*stuck/m.test(service.said()))
	takeSnapshot(scene.node, 'fine')
	await service.until('the others', () => sealedOf(scene, 'fine') === 2)
	t.is(sealedOf(scene, 'stuck'), 0)
	renameSync(aside, data)
	await service.until('the rest of it', () => sealedOf(scene, 'stuck') === 1)
	await service.stop()
	t.is(service.said().match(/^waiting/gm)?.length, 1, service.said())
	assertMirrored(scene.node, scene.haven)
})

test('a data directory that is not there is waited for, and its return loses nothing', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const [data = ''] = scene.node.dataDirectories
	const service = scene.start()
	await service.ready()
	for (const times of [1, 2]) {
		const told = (expression: RegExp) => (service.said().match(expression)?.length ?? 0) === times
		renameSync(data, `${data}-away`)
		await service.until('that it is missed', () => told(/^warning: .*data does not exist/gm))
		renameSync(`${data}-away`, data)
		await service.until('that it is back', () => told(/^warning: .*data is there now/gm))
	}
	takeSnapshot(scene.node, 'back')
	await service.until('what came with it', () => sealedOf(scene, 'back') === 2)
	await service.stop()
})

test('a haven that is not mounted is waited for, and nothing is written in its place', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const first = scene.start()
	await first.ready()
	await first.stop()
	renameSync(scene.haven, `${scene.haven}-unmounted`)
	mkdirSync(scene.haven)
	const service = scene.start()
	await service.until('that it is missed', () =>
		/^error: .*was at .* before, and is not there now/m.test(service.said()),
	)
	takeSnapshot(scene.node, 'daily')
	t.false(existsSync(join(scene.haven, '.snaphaven')))
	rmSync(scene.haven, { recursive: true })
	renameSync(`${scene.haven}-unmounted`, scene.haven)
	await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
	t.regex(service.said(), /^recovered: the haven .* works again/m)
	t.is(service.said().match(/^error/gm)?.length, 1)
	await service.stop()
})

test('--require-mount begins no haven on the system’s own file system', async (t) => {
	const scene = makeServiceScene(t, { tables: 1, parent: '/var/tmp' })
	const service = scene.start(['--require-mount'])
	await service.until('that nothing is mounted', () => /^error: nothing is mounted at/m.test(service.said()))
	t.false(existsSync(scene.haven))
	await service.stop()
})

test('another service for the same haven is refused, and named', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const service = scene.start()
	await service.ready()
	const other = scene.start()
	const { exitCode } = await other.process
	t.is(exitCode, 1)
	t.regex(other.said(), /^error: .*runs already/m)
	takeSnapshot(scene.node, 'daily')
	await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
	await service.stop()
})

test('a folder in the mirror that is removed by hand is mirrored again', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const service = scene.start()
	await service.ready()
	takeSnapshot(scene.node, 'daily')
	await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
	execFileSync('rm', ['-r', mirrored(scene, 'daily')])
	service.process.kill('SIGHUP')
	await service.until('its return', () => existsSync(join(mirrored(scene, 'daily'), 'manifest.json')))
	await service.stop()
	assertMirrored(scene.node, scene.haven)
})

test('what is taken of a keyspace that came after --all-keyspaces is not left alone by a service that names it', async (t) => {
	const scene = makeServiceScene(t, { tables: 1 })
	const first = scene.start(['--all-keyspaces'], { keyspaces: [] })
	await first.ready()
	await first.stop()
	const later = { ...scene, node: makeTree(scene.node.root, { tables: 1, keyspace: 'later', seed: 2 }) }
	takeSnapshot(later.node, 'first')
	for (const { path } of tagFolders(later.node, 'first')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
	const second = scene.start([], { keyspaces: ['later'] })
	await second.until('the seal', () => receiptOf(later, 'first') !== '')
	await second.stop()
})
