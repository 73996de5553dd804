import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runCli } from '../support/cli.ts'
import { clearSnapshot, tagFolders, takeSnapshot } from '../support/tree.ts'
import { kept, NOW, sealedTwice } from './support/mirror-deletes.ts'
import { changesBetween, fingerprint, mirrored, objectsOf, trueReceipts } from './support/scene.ts'

test('what is cleared on the node is removed from the haven, and what others share with it stays whole', async (t) => {
	const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
	const shared = join(mirrored(scene, 'weekly'), 'nb-1-big-Data.db')
	t.is(lstatSync(shared).nlink, 2)
	clearSnapshot(scene.node, 'daily')
	const node = fingerprint(scene.node.root)
	const removed = objectsOf(await scene.syncWell([...NOW, '--json'])).filter(({ type }) => type === 'removed')
	t.deepEqual(
		removed.map(({ tag, table }) => [tag, table]).sort(),
		scene.node.folders.map((one) => ['daily', one]).sort(),
	)
	t.true(removed.every(({ bytes }) => Number(bytes) > 0))
	t.deepEqual(kept(t, scene), ['weekly', 'weekly'])
	t.false(existsSync(mirrored(scene, 'daily')))
	t.is(lstatSync(shared).nlink, 1)
	t.deepEqual(changesBetween(node, fingerprint(scene.node.root)), [])
	const { stdout } = await scene.syncWell(NOW)
	t.regex(stdout, /2 snapshots already safe in/)
})

test('without --mirror-deletes, and within the time after the seal, it stays', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	for (const flags of [[], ['--mirror-deletes'], ['--mirror-deletes', '--mirror-deletes-after', '600']]) {
		await scene.syncWell(flags)
		t.deepEqual(kept(t, scene), ['daily', 'weekly'])
	}
})

test('what we moved ourselves stays, also where it was sealed before it was moved', async (t) => {
	const scene = await sealedTwice(t)
	await scene.syncWell(['--move-snapshots', '--snapshot-regex', 'daily'])
	takeSnapshot(scene.node, 'later')
	await scene.syncWell(['--move-snapshots', '--snapshot-regex', 'later'])
	const { stdout } = await scene.syncWell(NOW)
	t.notRegex(stdout, /removed/)
	t.deepEqual(kept(t, scene), ['daily', 'later', 'weekly'])
})

test('a tag that was taken again is not removed, and its new content takes the place', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	takeSnapshot(scene.node, 'daily')
	const events = objectsOf(await scene.syncWell([...NOW, '--json'])).map(({ type }) => type)
	t.deepEqual(events, ['sealed', 'summary'])
	t.deepEqual(kept(t, scene), ['daily', 'weekly'])
	t.is(trueReceipts(t, scene).find(({ tag }) => tag === 'daily')?.files.length, 4 * 8 + 2)
})

test('what is not this run’s business stays: other tags, other tables, other keyspaces', async (t) => {
	const scene = await sealedTwice(t, { tables: 2 })
	for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
	await scene.syncWell([...NOW, '--snapshot-regex', 'daily', '--exclude-table', 't0001'])
	t.deepEqual(kept(t, scene), ['daily', 'weekly', 'weekly'])
	const other = `other/t-${'0'.repeat(32)}`
	mkdirSync(join(scene.node.dataDirectories[0] ?? '', other), { recursive: true })
	const flags = ['sync', '--once', '-s', scene.haven, ...scene.node.flags, ...NOW, 'other']
	t.is((await runCli(flags, { stateDirectory: scene.state })).exitCode, 0)
	t.deepEqual(kept(t, scene), ['daily', 'weekly', 'weekly'])
})

test('a link in the place of a snapshot’s folder is no sign that it was cleared', async (t) => {
	const scene = await sealedTwice(t)
	for (const { path } of tagFolders(scene.node, 'daily')) {
		renameSync(path, join(scene.own, 'elsewhere'))
		symlinkSync(join(scene.own, 'elsewhere'), path)
	}
	await scene.syncWell(NOW)
	t.deepEqual(kept(t, scene), ['daily', 'weekly'])
})

test('a dry run tells what would be removed, and removes nothing', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	const before = fingerprint(scene.own)
	const { stdout } = await scene.syncWell([...NOW, '--dry-run'])
	t.regex(stdout, /would remove ks\.t0000 daily: cleared on the node/)
	t.regex(stdout, /plan: nothing to do, 1 snapshot to remove from the haven/)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

test('a table that is gone with its snapshots is removed, as long as others of its keyspace are there', async (t) => {
	const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
	const [first = '', second = ''] = scene.node.folders
	for (const path of scene.node.dataDirectories) rmSync(join(path, 'ks', first), { recursive: true })
	const { stdout } = await scene.syncWell(NOW)
	t.regex(stdout, /2 snapshots removed from the haven/)
	t.deepEqual(
		trueReceipts(t, scene).map(({ table }) => table),
		[second, second],
	)
})
