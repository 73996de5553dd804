import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { startCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { clearSnapshot, filesPerSSTable, flushTables, tagFolders, takeSnapshot } from '../support/tree.ts'
import { says } from '../wait/support/scene.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

function folderOf({ node }: Scene, tag = 'daily'): string {
	return tagFolders(node, tag)[0]?.path ?? ''
}

function startPass({ haven, node, state }: Scene) {
	return startCli(['--once', '-s', haven, ...node.flags, '--json', 'ks'], { stateDirectory: state })
}

test('the manifests of two data directories that list different files belong together', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2, sstables: 2 })
	takeSnapshot(scene.node, 'daily', { manifest: 'every' })
	tagFolders(scene.node, 'daily').forEach(({ path }, at) => {
		writeFileSync(join(path, 'manifest.json'), JSON.stringify({ files: [`nb-${2 - at}-big-Data.db`] }))
	})
	await scene.syncWell()
	const [receipt] = trueReceipts(t, scene)
	t.is(receipt?.state, 'whole')
	t.is(receipt?.files.length, 2 * filesPerSSTable + 2)
	const [{ path } = { path: '' }] = tagFolders(scene.node, 'daily')
	unlinkSync(join(path, 'nb-2-big-Data.db'))
	rmSync(scene.haven, { recursive: true })
	const result = await scene.sync(['--settle-time', '0.3', '--new-haven'])
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /manifest\.json names nb-2-big-Data\.db, which is not there yet/)
	t.deepEqual(trueReceipts(t, scene), [])
})

for (const [what, change, message] of [
	['that is not JSON', () => 'no JSON', /manifest\.json is not whole JSON/],
	['that is empty', () => '', /manifest\.json is empty/],
	['that is half written', (text: string) => text.slice(0, 30), /manifest\.json is not whole JSON/],
	[
		'that names files outside',
		() => '{"files":["../../x-Data.db"]}',
		/manifest\.json names "\.\.\/\.\.\/x-Data\.db", which is outside its folder/,
	],
	[
		'that names a file that is not there',
		() => '{"files":["nb-9-big-Data.db"]}',
		/names nb-9-big-Data\.db, which is not there yet/,
	],
] as const) {
	test(`a snapshot with a manifest ${what} is named and not sealed, the rest is, exit 1`, async (t) => {
		const scene = makeScene(t, { tables: 2 })
		takeSnapshot(scene.node, 'daily')
		const manifest = join(folderOf(scene), 'manifest.json')
		writeFileSync(manifest, change(readFileSync(manifest, 'utf8')))
		const before = fingerprint(scene.node.root)
		const result = await scene.sync(['--settle-time', '0.3', '--move-snapshots', '--include-table', 't0000'])
		t.is(result.exitCode, 1)
		t.regex(result.stderr, message)
		t.regex(result.stderr, /^failed ks\/t0000-\w+\/snapshots\/daily: it is not settled/m)
		assertNoTrace(t, result)
		t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
		t.is((await scene.sync(['--settle-time', '0.3'])).exitCode, 1)
		t.deepEqual(
			trueReceipts(t, scene).map(({ table }) => table.slice(0, 5)),
			['t0001'],
		)
	})
}

test('a file that an SSTable needs and that is not there is named', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	unlinkSync(join(folderOf(scene), 'nb-1-big-CompressionInfo.db'))
	const result = await scene.sync(['--settle-time', '0.3'])
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /TOC\.txt names nb-1-big-CompressionInfo\.db, which is not there/)
	t.deepEqual(trueReceipts(t, scene), [])
})

test('what a large snapshot’s TOC.txt names is missed before anything is copied', async (t) => {
	const scene = makeScene(t, { sstables: 40, dataBytes: 100 })
	takeSnapshot(scene.node, 'daily')
	unlinkSync(join(folderOf(scene), 'nb-7-big-CompressionInfo.db'))
	const missed = /TOC\.txt names nb-7-big-CompressionInfo\.db, which is not there/
	const dry = await scene.sync(['--dry-run'])
	t.is(dry.exitCode, 1)
	t.regex(dry.stderr, missed)
	t.regex((await scene.sync()).stderr, missed)
	t.deepEqual(trueReceipts(t, scene), [])
	// An SSTable without compression has neither.
	const toc = join(folderOf(scene), 'nb-7-big-TOC.txt')
	writeFileSync(toc, readFileSync(toc, 'utf8').replace('CompressionInfo.db\n', ''))
	await scene.syncWell()
	t.is(trueReceipts(t, scene).length, 1)
})

test('without a manifest, or with one and no schema, a snapshot is sealed as unproven after the settle time', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'no-manifest', { manifest: 'none' })
	takeSnapshot(scene.node, 'no-schema', { schema: false })
	const result = await scene.syncWell(['--settle-time', '0.4'])
	t.regex(result.stderr, /2 snapshots without a complete manifest, sealed as unproven/)
	t.deepEqual(
		trueReceipts(t, scene).map(({ state }) => state),
		['unproven', 'unproven'],
	)
	assertMirrored(scene.node, scene.haven)
})

test('a repair’s own snapshots are left out, an empty folder too', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'said', { ephemeral: true })
	takeSnapshot(scene.node, 'marked')
	writeFileSync(join(folderOf(scene, 'marked'), 'ephemeral.snapshot'), '')
	takeSnapshot(scene.node, '3f2504e0-4f89-11d3-9a0c-0305e82c3301', { manifest: 'none' })
	takeSnapshot(scene.node, 'empty')
	for (const name of readdirSync(folderOf(scene, 'empty'))) unlinkSync(join(folderOf(scene, 'empty'), name))
	const before = fingerprint(scene.node.root)
	const skipped = objectsOf(await scene.syncWell(['--move-snapshots', '--json', '--settle-time', '0.2']))
	t.deepEqual(
		skipped.map(({ type }) => type),
		['skipped', 'skipped', 'skipped', 'skipped', 'summary'],
	)
	t.deepEqual(trueReceipts(t, scene), [])
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
})

test('a snapshot that is being taken is waited for, and sealed when it is whole', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	const late = ['nb-2-big-Data.db', 'manifest.json', 'schema.cql']
	for (const name of late) renameSync(join(folderOf(scene), name), join(scene.own, name))
	const running = startPass(scene)
	await says(running, 'stderr', /^waiting/m)
	for (const name of late) {
		await pause(400)
		renameSync(join(scene.own, name), join(folderOf(scene), name))
	}
	const { exitCode, stderr } = await running
	t.is(exitCode, 0, stderr)
	t.deepEqual(
		trueReceipts(t, scene).map(({ state }) => state),
		['whole', 'whole'],
	)
	assertMirrored(scene.node, scene.haven)
	t.true(readdirSync(mirrored(scene, 'daily')).includes('schema.cql'))
})

test('a tag that is just being taken again is waited for, though all that is there yet was sealed before', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	clearSnapshot(scene.node, 'daily')
	flushTables(scene.node)
	takeSnapshot(scene.node, 'daily')
	const late = readdirSync(folderOf(scene)).filter((name) => !/^nb-[12]-/.test(name))
	for (const name of late) renameSync(join(folderOf(scene), name), join(scene.own, name))
	const running = startPass(scene)
	await says(running, 'stderr', /^waiting/m)
	for (const name of late) renameSync(join(scene.own, name), join(folderOf(scene), name))
	const { stdout } = await running
	t.like(JSON.parse(stdout.split('\n')[0] ?? ''), { type: 'sealed', replaced: true, files: 3 * filesPerSSTable + 2 })
	assertMirrored(scene.node, scene.haven)
})
