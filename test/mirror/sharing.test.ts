import {
	chmodSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	statfsSync,
	statSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa, execaSync } from 'execa'
import { mayBeRewritten } from '../../src/cassandra/sstable.ts'
import { runCli } from '../support/cli.ts'
import { memory, ownFolder } from '../support/folder.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { liesOf, readReceipts } from '../support/receipts.ts'
import { clearSnapshot, flushTables, makeTree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { changesBetween, fingerprint, makeScene, mirrored, objectsOf, trueReceipts } from './support/scene.ts'

test('--hardlink shares each file that Cassandra never changes, and sets nothing of it', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2 })
	takeSnapshot(scene.node, 'daily')
	// The times of the status and the number of links do change with a link.
	const attributes = '%P %y %i %s %m %U %G %T@'
	const before = fingerprint(scene.node.root, attributes)
	const [sealed] = objectsOf(await scene.syncWell(['--hardlink', '--json']))
	t.like(sealed, { hardlinked: { files: 2 * 4 + 2 }, copied: { files: 2 * 4 } })
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root, attributes)), [])
	for (const { path } of tagFolders(scene.node, 'daily')) {
		for (const name of readdirSync(path)) {
			const same = lstatSync(join(path, name)).ino === lstatSync(join(mirrored(scene, 'daily'), name)).ino
			t.is(same, !mayBeRewritten(name), name)
		}
	}
	assertMirrored(scene.node, scene.haven)
	const [receipt] = trueReceipts(t, scene)
	t.is(receipt?.files.length, 2 * 8 + 2)
	clearSnapshot(scene.node, 'daily')
	trueReceipts(t, scene)
})

test('--hardlink and --move-snapshots leave the very file in the haven alone', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const [{ path } = { path: '' }] = tagFolders(scene.node, 'daily')
	const { ino } = lstatSync(join(path, 'nb-1-big-Data.db'))
	await scene.syncWell(['--hardlink', '--move-snapshots'])
	t.false(existsSync(path))
	t.is(lstatSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')).ino, ino)
	trueReceipts(t, scene)
})

const onlyOne = lstatSync(memory).dev === lstatSync(tmpdir()).dev ? 'needs two file systems' : undefined

testWhere(onlyOne, '--hardlink with the haven on another file system is refused before anything is made', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const haven = join(ownFolder(t, tmpdir()), 'haven')
	for (const more of [[], ['--dry-run']]) {
		const result = await runCli(['--once', '-s', haven, ...scene.node.flags, '--hardlink', ...more, 'ks'])
		t.is(result.exitCode, 2)
		t.regex(result.stderr, /--hardlink needs the haven on the file system of a data directory/)
		t.false(existsSync(haven))
	}
})

testWhere(onlyOne, 'with --hardlink the files of a data directory on another file system are copied', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const other = makeTree(join(ownFolder(t, tmpdir()), 'node'), { tables: 1, keyspace: 'far' })
	takeSnapshot(other, 'daily')
	const flags = [scene.node, other].flatMap(({ dataDirectories }) => ['--data-dir', dataDirectories[0] ?? ''])
	const result = await runCli(['--once', '-s', scene.haven, ...flags, '--hardlink', '--json', 'ks', 'far'])
	t.is(result.exitCode, 0, result.stderr)
	t.regex(result.stderr, /some data directories are not on the haven’s file system: their files are copied/)
	const seals = objectsOf(result).filter(({ type }) => type === 'sealed')
	t.like(
		seals.find(({ keyspace }) => keyspace === 'far'),
		{ copied: { files: 18 }, hardlinked: { files: 0 } },
	)
	t.like(
		seals.find(({ keyspace }) => keyspace === 'ks'),
		{ hardlinked: { files: 10 } },
	)
	assertMirrored(other, scene.haven)
})

/** Mounts a file system made in a file, of 300 MB; what the machine lacks for it. */
function mountMissing(tool: string): string | undefined {
	if (process.getuid?.() !== 0) return 'needs root to mount'
	if (!existsSync('/dev/loop-control')) return 'needs loop devices'
	const { exitCode } = execaSync(tool, ['-V'], { reject: false })
	return exitCode === 0 ? undefined : `needs ${tool}`
}

async function mount(t: ExecutionContext, tool: string, flags: string[]): Promise<string> {
	const own = ownFolder(t, tmpdir())
	const [image, place] = [join(own, 'image'), join(own, 'mount')]
	mkdirSync(place)
	writeFileSync(image, '')
	truncateSync(image, 320 * 1024 * 1024)
	await execa(tool, [...flags, image])
	await execa('mount', ['-o', 'loop', image, place])
	t.teardown(() => execa('umount', ['--lazy', place], { reject: false }))
	return place
}

for (const [tool, flags, sliceBytes] of [
	['mkfs.xfs', ['-q', '-m', 'reflink=1'], 0],
	['mkfs.xfs', ['-q', '-m', 'reflink=1'], 1_000_000],
	['mkfs.btrfs', ['-q'], 0],
] as const) {
	const pieces = sliceBytes > 0 ? ', read in pieces' : ''
	testWhere(
		mountMissing(tool),
		`large files share the node's blocks where the file system can (${tool}${pieces})`,
		async (t) => {
			const parent = await mount(t, tool, [...flags])
			const scene = makeScene(t, { parent, dataBytes: 8_000_000, sstables: 3 })
			takeSnapshot(scene.node, 'daily')
			chmodSync(join(tagFolders(scene.node, 'daily')[0]?.path ?? '', 'nb-1-big-Data.db'), 0o440)
			const free = () => statfsSync(parent).bavail * statfsSync(parent).bsize
			await execa('sync', ['-f', parent])
			const before = free()
			const env = { SNAPHAVEN_TEST_SLICE_BYTES: String(sliceBytes) }
			const [sealed] = objectsOf(await scene.syncWell(['--json'], { env }))
			t.like(sealed, { reflinked: { files: 3, bytes: 24_000_000 } })
			await execa('sync', ['-f', parent])
			t.true(before - free() < 8_000_000, `${before - free()} bytes more are taken`)
			const data = (folder: string) => statSync(join(folder, 'nb-1-big-Data.db'))
			const [was, is] = [data(tagFolders(scene.node, 'daily')[0]?.path ?? ''), data(mirrored(scene, 'daily'))]
			t.deepEqual([is.mode, Math.round(is.mtimeMs)], [was.mode, Math.round(was.mtimeMs)])
			assertMirrored(scene.node, scene.haven)
			trueReceipts(t, scene)
		},
	)
}

testWhere(mountMissing('mkfs.ext4'), 'where blocks cannot be shared, a plan says that files are copied', async (t) => {
	const parent = await mount(t, 'mkfs.ext4', ['-q'])
	const scene = makeScene(t, { parent, dataBytes: 1_000_000 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	flushTables(scene.node)
	takeSnapshot(scene.node, 'weekly')
	t.like(objectsOf(await scene.syncWell(['--dry-run', '--json']))[0], {
		reflinked: { files: 0 },
		copied: { files: 10 },
	})
})

test('a copy that is removed just before it is shared is no trouble: the file is copied from the node', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	takeSnapshot(scene.node, 'weekly')
	const remover = `
import fs from 'node:fs'
for (const name of ['link', 'linkSync']) {
	const real = fs[name]
	fs[name] = (from, ...rest) => {
		if (/nb-1-big-Data.db$/.test(from)) fs.rmSync(from)
		return real(from, ...rest)
	}
}`
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(remover)}` }
	const result = await scene.syncWell(['--json'], { env })
	t.is(result.stderr, '')
	t.like(objectsOf(result)[0], { type: 'sealed', copied: { files: 1 + 2 }, reused: { files: 2 * 8 - 1 } })
	t.false(existsSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')))
	const weekly = readReceipts(scene.haven).find((one) => 'receipt' in one && one.receipt.tag === 'weekly')
	t.deepEqual(weekly && 'receipt' in weekly ? liesOf(scene.haven, weekly.receipt) : weekly, [])
})
