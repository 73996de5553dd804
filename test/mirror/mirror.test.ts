import {
	chmodSync,
	chownSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { execaSync } from 'execa'
import { runCli } from '../support/cli.ts'
import { assertMirrored, snapshotsOf } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { clearSnapshot, flushTables, removeLive, tagFolders, takeSnapshot } from '../support/tree.ts'
import { changesBetween, fingerprint, makeScene, mirrored, objectsOf, trueReceipts } from './support/scene.ts'

const isRoot = process.getuid?.() === 0

test('a snapshot arrives with every byte, mode, owner and time, its folders too, and the node is untouched', async (t) => {
	const scene = makeScene(t, { tables: 2, dataDirectories: 2, sstables: 3 })
	takeSnapshot(scene.node, 'daily')
	for (const { path } of tagFolders(scene.node, 'daily')) {
		mkdirSync(join(path, '.by_city'), { recursive: true })
		const file = join(path, `.by_city/nb-${path.includes('data2') ? 2 : 1}-big-Data.db`)
		writeFileSync(file, 'index')
		chmodSync(file, 0o640)
		chmodSync(join(path, '.by_city'), 0o2750)
		chmodSync(path, 0o711)
		if (isRoot) chownSync(file, 1234, 5678)
		for (const one of [file, join(path, '.by_city'), path]) utimesSync(one, 1_600_000_000, 1_600_000_000.123456)
	}
	const before = scene.node.dataDirectories.flatMap((path) => fingerprint(path))
	const { stdout } = await scene.syncWell()
	t.is(stdout.match(/^sealed /gm)?.length, 2)
	t.deepEqual(assertMirrored(scene.node, scene.haven), { snapshots: 2, files: 2 * (3 * 8 + 4) })
	for (const { folder, tag, files } of snapshotsOf(scene.node)) {
		for (const [name, path] of files) {
			const [copy, own] = [join(mirrored(scene, tag, folder), name), path].map((one) =>
				lstatSync(one, { bigint: true }),
			)
			if (!copy || !own) throw new Error('no stat')
			t.deepEqual([copy.mode, copy.uid, copy.gid], [own.mode, own.uid, own.gid], name)
			t.true(own.mtimeNs - copy.mtimeNs < 1000n && copy.mtimeNs - own.mtimeNs < 1000n, name)
		}
		const [place, index] = [mirrored(scene, tag, folder), join(mirrored(scene, tag, folder), '.by_city')].map((one) =>
			lstatSync(one, { bigint: true }),
		)
		t.deepEqual([place?.mode, index?.mode], [0o40711n, 0o42750n])
		for (const one of [place, index]) t.is((one?.mtimeNs ?? 0n) / 1000n, 1_600_000_000_123_456n)
	}
	t.is(trueReceipts(t, scene).length, 2)
	t.deepEqual(
		scene.node.dataDirectories.flatMap((path) => fingerprint(path)),
		before,
	)
})

test('receipts have the node’s times to the ns, and its inodes', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [receipt] = trueReceipts(t, scene)
	const [folder] = tagFolders(scene.node, 'daily')
	t.is(receipt?.files.length, 2 * 8 + 2)
	for (const { path, mtimeNs, ...rest } of receipt?.files ?? []) {
		const stat = lstatSync(join(folder?.path ?? '', path), { bigint: true })
		t.deepEqual({ mtimeNs, ...rest }, {
			...rest,
			mtimeNs: String(stat.mtimeNs),
			ino: String(stat.ino),
		} as typeof rest & { mtimeNs: string })
	}
})

test('a further pass changes nothing in the haven, and is told so', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	for (const tag of ['monday', 'tuesday']) takeSnapshot(scene.node, tag)
	await scene.syncWell()
	const before = fingerprint(join(scene.haven, 'data'))
	const receipts = fingerprint(join(scene.haven, '.snaphaven/receipts'))
	t.regex((await scene.syncWell()).stdout, /^done: 6 snapshots already safe/m)
	t.deepEqual(changesBetween(before, fingerprint(join(scene.haven, 'data'))), [])
	t.deepEqual(changesBetween(receipts, fingerprint(join(scene.haven, '.snaphaven/receipts'))), [])
})

test('a further pass goes by folders, manifest and schema: a file that changed in place is not looked at', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [folder] = tagFolders(scene.node, 'daily')
	writeFileSync(join(folder?.path ?? '', 'nb-1-big-Index.db'), 'a look would find this another')
	t.regex((await scene.syncWell()).stdout, /1 snapshot already safe/)
})

const noStrace = execaSync('strace', ['-V'], { reject: false }).exitCode === 0 ? undefined : 'needs strace'

testWhere(noStrace, 'a further pass makes no call for any file of an SSTable', async (t) => {
	const scene = makeScene(t, { tables: 3, dataDirectories: 2 })
	for (const tag of ['monday', 'tuesday']) takeSnapshot(scene.node, tag)
	const log = join(scene.own, 'calls')
	const wrapper = ['strace', '-f', '-qq', '-e', 'trace=%file,%desc', '-o', log]
	await scene.syncWell([], { wrapper })
	t.true(callsFor(log, /\/nb-\d+-big-|"nb-\d+-big-/) > 0, 'strace sees them when there is work')
	rmSync(log)
	t.regex((await scene.syncWell([], { wrapper })).stdout, /6 snapshots already safe/)
	t.is(callsFor(log, /nb-\d+-big-/), 0)
	t.true(callsFor(log, /manifest\.json/) > 0)
})

/** Calls that name such a file; what a folder's listing gave is data, not a name. */
function callsFor(log: string, pattern: RegExp): number {
	const lines = readFileSync(log, 'latin1').split('\n')
	return lines.filter(
		(line) => !/\b(getdents64|read|pread64|write|pwrite64|recvmsg|sendmsg)\(/.test(line) && pattern.test(line),
	).length
}

test('a tag that was taken again with other content takes the older one’s place', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	clearSnapshot(scene.node, 'daily')
	removeLive(scene.node)
	flushTables(scene.node, 3)
	takeSnapshot(scene.node, 'daily')
	const result = await scene.syncWell(['--json'])
	t.like(objectsOf(result)[0], { type: 'sealed', tag: 'daily', state: 'whole', replaced: true, files: 3 * 8 + 2 })
	t.deepEqual(assertMirrored(scene.node, scene.haven), { snapshots: 1, files: 3 * 8 + 2 })
	t.is(trueReceipts(t, scene)[0]?.files.length, 3 * 8 + 2)
	t.regex((await scene.syncWell()).stdout, /1 snapshot already safe/)
})

test('a TOC.txt that Cassandra rewrote in place after the seal is no change, also when its folder changed', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [{ path } = { path: '' }] = tagFolders(scene.node, 'daily')
	writeFileSync(join(path, 'nb-1-big-TOC.txt'), 'Data.db\nSAI+aa+late+Meta.db\n')
	const copy = readFileSync(join(mirrored(scene, 'daily'), 'nb-1-big-TOC.txt'))
	t.regex((await scene.syncWell()).stdout, /1 snapshot already safe/)
	utimesSync(path, 1, 1)
	t.regex((await scene.syncWell()).stdout, /1 snapshot already safe/)
	t.deepEqual(readFileSync(join(mirrored(scene, 'daily'), 'nb-1-big-TOC.txt')), copy)
})

test('what an earlier tag has is stored once, what is new is added', async (t) => {
	const scene = makeScene(t, { sstables: 2 })
	for (const tag of ['monday', 'tuesday']) {
		takeSnapshot(scene.node, tag)
		await scene.syncWell()
	}
	flushTables(scene.node)
	takeSnapshot(scene.node, 'wednesday')
	const [sealed] = objectsOf(await scene.syncWell(['--json']))
	t.like(sealed, { copied: { files: 8 + 2 }, reused: { files: 2 * 8 } })
	const inode = (tag: string, name: string) => lstatSync(join(mirrored(scene, tag), name)).ino
	for (const name of readdirSync(mirrored(scene, 'monday'))) {
		const inodes = new Set(['monday', 'tuesday', 'wednesday'].map((tag) => inode(tag, name)))
		t.is(inodes.size, name.startsWith('nb-') ? 1 : 3, name)
	}
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 3)
})

test('a copy that is gone from the mirror is never shared, and its snapshot is mirrored again', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'monday')
	await scene.syncWell()
	rmSync(mirrored(scene, 'monday'), { recursive: true })
	takeSnapshot(scene.node, 'tuesday')
	const result = await scene.syncWell()
	t.regex(result.stdout, /2 snapshots sealed/)
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 2)
})

test('clearing a snapshot on the node leaves the haven’s copy', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const before = fingerprint(join(scene.haven, 'data'))
	clearSnapshot(scene.node, 'daily')
	t.regex((await scene.syncWell()).stdout, /no snapshot to mirror/)
	t.deepEqual(changesBetween(before, fingerprint(join(scene.haven, 'data'))), [])
})

test('a folder that no receipt knows is set aside, whole, and told of', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	mkdirSync(mirrored(scene, 'daily'), { recursive: true })
	writeFileSync(join(mirrored(scene, 'daily'), 'somebody’s'), 'own')
	writeFileSync(join(mirrored(scene, 'daily'), '../note'), 'stays')
	const { stderr } = await scene.syncWell()
	const place = /it is now (\S+)/.exec(stderr)?.[1] ?? ''
	t.deepEqual(readFileSync(join(scene.haven, place, 'somebody’s'), 'utf8'), 'own')
	t.true(existsSync(join(mirrored(scene, 'daily'), '../note')))
	assertMirrored(scene.node, scene.haven)
})

test('regex and globs choose snapshots and tables', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	for (const tag of ['daily_1', 'daily_2', 'weekly']) takeSnapshot(scene.node, tag)
	const tables = ['--include-table', 't000[01]', '--exclude-table', 't0001']
	await scene.syncWell(['--snapshot-regex', 'daily_(?P<n>\\d)', ...tables])
	const receipts = trueReceipts(t, scene).map(({ table, tag }) => `${table.slice(0, 5)} ${tag}`)
	t.deepEqual(receipts.sort(), ['t0000 daily_1', 't0000 daily_2'])
	await scene.syncWell(['--snapshot-regex', 'eekly'])
	t.is(trueReceipts(t, scene).length, 2, 'it is matched from the start of the tag')
})

test('--all-keyspaces takes all but Cassandra’s own', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const system = makeScene(t, { keyspace: 'system_auth' })
	takeSnapshot(system.node, 'daily')
	const flags = ['--data-dir', scene.node.dataDirectories[0] ?? '', '--data-dir', system.node.dataDirectories[0] ?? '']
	const result = await runCli(['--once', '-s', scene.haven, ...flags, '--all-keyspaces'], {
		stateDirectory: scene.state,
	})
	t.is(result.exitCode, 0, result.stderr)
	t.deepEqual(
		trueReceipts(t, scene).map(({ keyspace }) => keyspace),
		['ks'],
	)
})

test('--json tells each seal and ends with a summary, in numbers', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	const told = objectsOf(await scene.syncWell(['--json']))
	// Of a new haven it says once what is not kept there, whenever that is.
	const objects = told.filter(({ type }) => type !== 'warning')
	t.deepEqual(
		objects.map(({ type }) => type),
		['sealed', 'sealed', 'summary'],
	)
	t.like(objects[0], { keyspace: 'ks', tag: 'daily', state: 'whole', damage: [], replaced: false, files: 18 })
	t.like(objects[2], { exitCode: 0, sealed: 2, damaged: 0, unchanged: 0, failed: 0, files: 36 })
	const again = objectsOf(await scene.syncWell(['--json']))
	t.is(again.length, 1)
	t.like(again[0], { type: 'summary', sealed: 0, unchanged: 2 })
})

test('a table that was dropped and made again is two, as on the node', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	const [first = '', second = ''] = scene.node.folders
	const renamed = `${first.slice(0, 5)}${second.slice(5)}`
	for (const directory of scene.node.dataDirectories)
		renameSync(join(directory, 'ks', second), join(directory, 'ks', renamed))
	const node = { ...scene.node, folders: [first, renamed] }
	takeSnapshot(node, 'daily')
	await scene.syncWell()
	t.is(assertMirrored(node, scene.haven).snapshots, 2)
})
