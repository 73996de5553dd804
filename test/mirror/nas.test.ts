import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { runCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { mountNas, type Nas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { clearSnapshot, flushTables, removeLive, tagFolders, takeSnapshot } from '../support/tree.ts'
import { assertNoTrace, makeScene, mirrored, objectsOf, type Scene, trueReceipts } from './support/scene.ts'

/** A node, and its haven on a NAS: many calls in flight, and a flush of each file and folder. */
async function makeRemote(t: ExecutionContext): Promise<Scene & { nas: Nas }> {
	const scene = makeScene(t, { tables: 2, dataDirectories: 2 })
	const nas = await mountNas({ latencyMs: 1, backing: join(scene.own, 'backing') })
	t.teardown(nas.unmount)
	const haven = join(nas.path, 'haven')
	const sync: Scene['sync'] = (flags = []) =>
		runCli(['--once', '-s', haven, ...scene.node.flags, ...flags, 'ks'], { stateDirectory: scene.state })
	const syncWell: Scene['sync'] = async (flags) => {
		const result = await sync(flags)
		t.is(result.exitCode, 0, result.stderr)
		return result
	}
	return { ...scene, haven, sync, syncWell, nas }
}

testWhere(nasfsMissing(), 'on a NAS too snapshots arrive, are shared, replaced, gone by and moved', async (t) => {
	const scene = await makeRemote(t)
	takeSnapshot(scene.node, 'monday', { manifest: 'every' })
	for (const { path } of tagFolders(scene.node, 'monday')) {
		mkdirSync(join(path, '.idx/deep'), { recursive: true })
		writeFileSync(join(path, `.idx/deep/nb-${path.includes('data2') ? 1 : 2}-big-Data.db`), 'index')
	}
	await scene.syncWell()
	assertMirrored(scene.node, scene.haven)
	flushTables(scene.node)
	takeSnapshot(scene.node, 'tuesday')
	t.like(objectsOf(await scene.syncWell(['--json']))[0], { reused: { files: 2 * 8 }, copied: { files: 8 + 2 } })
	clearSnapshot(scene.node, 'monday')
	removeLive(scene.node)
	flushTables(scene.node)
	takeSnapshot(scene.node, 'monday')
	t.like(objectsOf(await scene.syncWell(['--json']))[0], { tag: 'monday', replaced: true, files: 8 + 2 })
	assertMirrored(scene.node, scene.haven)
	await scene.syncWell(['--move-snapshots'])
	for (const tag of ['monday', 'tuesday']) for (const { path } of tagFolders(scene.node, tag)) t.false(existsSync(path))
	t.is(trueReceipts(t, scene).length, 4)
})

testWhere(
	nasfsMissing(),
	'a NAS that fails any listing of a verify, and the look at what it is of a prune, is told of as such',
	async (t) => {
		const scene = await makeRemote(t)
		takeSnapshot(scene.node, 'daily')
		await scene.syncWell()
		const run = async (...words: string[]) =>
			await runCli([...words, '-s', scene.haven], { stateDirectory: scene.state })
		let nth = 1
		for (; ; nth++) {
			scene.nas.fault(`opendir EIO ${nth}`)
			const result = await run('verify')
			if (result.exitCode === 0) break
			assertNoTrace(t, result)
			t.regex(result.stderr, /haven|receipt/)
		}
		t.true(nth > 3)
		scene.nas.fault('statfs EIO')
		const pruned = await run('prune', '--keep-last', '1')
		t.is(pruned.exitCode, 1)
		assertNoTrace(t, pruned)
		t.regex(pruned.stderr, /^error: the haven .* can’t be opened: .*EIO/)
	},
)

testWhere(nasfsMissing(), 'a NAS that cannot flush folders does', async (t) => {
	const scene = await makeRemote(t)
	scene.nas.fault('fsyncdir EINVAL')
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	clearSnapshot(scene.node, 'daily')
	flushTables(scene.node)
	takeSnapshot(scene.node, 'daily')
	t.like(objectsOf(await scene.syncWell(['--json']))[0], { replaced: true })
	assertMirrored(scene.node, scene.haven)
	trueReceipts(t, scene)
})

for (const [what, fault, message] of [
	['fails in every call', 'any EIO', /^error: the haven/m],
	['fails when a file is flushed', 'fsync EIO', /^error: the haven fails: EIO/m],
	['goes away', 'any ENOTCONN', /^error: the haven/m],
	['has stale handles', 'any ESTALE', /^error: the haven .*ESTALE: stale file handle/m],
	['becomes read-only', 'create EROFS', /^error: the haven \S+ is on a read-only file system$/m],
] as const) {
	testWhere(
		nasfsMissing(),
		`a NAS that ${what} is told of once, nothing counts, and the next run completes it`,
		async (t) => {
			const scene = await makeRemote(t)
			takeSnapshot(scene.node, 'monday')
			await scene.syncWell()
			takeSnapshot(scene.node, 'tuesday')
			scene.nas.fault(fault)
			const result = await scene.sync(['--move-snapshots'])
			t.is(result.exitCode, 1)
			t.regex(result.stderr, message)
			t.is(result.stderr.match(/^(error|failed|trouble)\b/gm)?.length, 1, result.stderr)
			assertNoTrace(t, result)
			scene.nas.fault()
			t.false(existsSync(mirrored(scene, 'tuesday')))
			for (const { path } of tagFolders(scene.node, 'tuesday')) t.true(readdirSync(path).length > 8)
			await scene.syncWell()
			assertMirrored(scene.node, scene.haven)
			t.is(trueReceipts(t, scene).length, 4)
		},
	)
}

testWhere(nasfsMissing(), 'a rename whose reply was lost is settled by looking', async (t) => {
	const scene = await makeRemote(t)
	takeSnapshot(scene.node, 'monday')
	await scene.syncWell()
	for (let nth = 1; nth <= 4; nth++) {
		takeSnapshot(scene.node, `tag-${nth}`)
		scene.nas.fault(`rename EIO ${nth}`)
		const { exitCode, stderr } = await scene.sync()
		t.true(exitCode === 0 || exitCode === 1)
		t.notRegex(stderr, /did not foresee/)
		scene.nas.fault()
		await scene.syncWell()
		assertMirrored(scene.node, scene.haven)
	}
	t.is(trueReceipts(t, scene).length, 2 * 5)
})

testWhere(
	nasfsMissing(),
	'what is shared on a NAS takes neither a look at each file nor a reading of its digest',
	async (t) => {
		const sstables = 20
		const scene = makeScene(t, { sstables })
		const nas = await mountNas({ latencyMs: 1, backing: join(scene.own, 'backing'), counting: true })
		t.teardown(nas.unmount)
		const sync = () =>
			runCli(['--once', '-s', join(nas.path, 'haven'), ...scene.node.flags, 'ks'], { stateDirectory: scene.state })
		takeSnapshot(scene.node, 'monday')
		t.is((await sync()).exitCode, 0)
		takeSnapshot(scene.node, 'tuesday')
		nas.fault()
		t.is((await sync()).exitCode, 0)
		const count = (operation: string) => nas.served().filter((one) => one === operation).length
		const files = 8 * sstables
		t.is(count('link'), files + 1, 'the lease is a link too')
		t.true(count('open') < sstables, `${count('open')} files were opened`)
		// One is for the new name; without the listing another one is for the old.
		t.true(count('lookup') < 1.75 * files, `${count('lookup')} names were looked up`)
	},
)
