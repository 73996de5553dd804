import { execFileSync } from 'node:child_process'
import {
	chmodSync,
	copyFileSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test from 'ava'
import { execaSync } from 'execa'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { assertNoTrace, makeScene, objectsOf } from '../mirror/support/scene.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { damagesOf, filesByInode, flipBit, kindOf, sealedFixture, verify } from './support.ts'

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
const missing =
	process.getuid?.() !== 0
		? 'needs root to be another user'
		: execaSync('setpriv', asNobody.slice(1).concat('true'), { reject: false }).exitCode === 0
			? undefined
			: 'needs setpriv'

test.serial('what no receipt knows is told of and left alone, exit 0', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily')
	writeFileSync(join(folder, 'notes'), 'mine')
	mkdirSync(join(folder, 'more'))
	writeFileSync(join(folder, 'more/inside'), 'mine')
	const { exitCode, stderr, stdout } = await verify(scene, ['-v', '2'])
	t.is(exitCode, 0)
	t.regex(stderr, /^extra: ks\/t0000-\w+\/snapshots\/daily: 2 files .*\n {2}more\n {2}notes$/)
	t.regex(stdout, /; no damage; 2 unknown to the receipts$/)
	t.is(readFileSync(join(folder, 'more/inside'), 'utf8'), 'mine')
})

test.serial(
	'a good copy is found in another snapshot that does not share the file, and on the node, and proven',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-bti')
		const shared = filesByInode(sealed.haven).filter(
			(paths) => paths.length > 1 && kindOf(paths[0] ?? '') === 'Data.db',
		)
		const [paths = []] = shared
		const [first = '', second = ''] = paths.map((path) => join(sealed.haven, path))
		// Apart from now on, as on a file system without hard links.
		copyFileSync(second, `${second}.copy`)
		utimesSync(`${second}.copy`, statSync(second).atime, statSync(second).mtime)
		renameSync(`${second}.copy`, second)
		flipBit(first)
		const found = async (...flags: string[]) => {
			const damage = objectsOf(await verify(sealed, ['--json', ...flags])).find(({ type }) => type === 'damage')
			return damage?.['good'] as { where: string; path: string }[]
		}
		const good = await found(...sealed.node)
		t.deepEqual(
			good.map(({ where }) => where),
			['haven', 'node'],
		)
		t.is(good[0]?.path, paths[1])
		t.is(basename(good[1]?.path ?? ''), basename(first))
		flipBit(second)
		for (const path of filesByInode(dirname(sealed.dataDirectories[0] ?? '')).flat()) {
			if (path.endsWith(basename(first))) rmSync(join(dirname(sealed.dataDirectories[0] ?? ''), path))
		}
		t.deepEqual(
			(await found(...sealed.node)).filter(({ path }) => path === paths[1]),
			[],
		)
	},
)

test.serial('damage that was on the node already is told as that, exit 3', async (t) => {
	const scene = makeScene(t)
	const live = join(scene.node.dataDirectories[0] ?? '', 'ks', scene.node.folders[0] ?? '')
	flipBit(join(live, 'nb-1-big-Data.db'))
	takeSnapshot(scene.node, 'daily')
	t.is((await scene.sync()).exitCode, 3)
	const { exitCode, stderr, stdout } = await verify(scene)
	t.is(exitCode, 3)
	t.regex(stderr, /^damaged at the source: data\/ks\/t0000-\w+\/snapshots\/daily\/nb-1-big-Data\.db: its CRC-32 is .*$/)
	t.regex(stdout, /no damage; 1 damaged at the source$/)
})

test.serial('a snapshot in doubt is left out, and damage in it is none', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [table = ''] = scene.node.folders
	rmSync(join(scene.haven, 'data/ks', table, 'snapshots/daily/nb-1-big-Data.db'))
	const partial = join(scene.haven, '.snaphaven/partial/0123456789abcdef')
	mkdirSync(partial)
	const publications = [{ number: 0, key: { keyspace: 'ks', table, tag: 'daily' }, receiptChecksum: '00000000' }]
	writeFileSync(join(partial, 'group-0.json'), withChecksum(JSON.stringify({ format: 1, publications })))
	const { exitCode, stderr, stdout } = await verify(scene)
	t.is(exitCode, 0, stderr)
	t.regex(stderr, /^left out: ks\/t0000-\w+\/snapshots\/daily: it is being sealed or removed/)
	t.regex(stdout, /^verified 1 snapshot, .*; no damage; 1 left out$/)
})

test.serial('people see what is damaged, which snapshots share it, and where a good copy is', async (t) => {
	const scene = makeScene(t)
	for (const tag of ['one', 'two', 'three']) {
		takeSnapshot(scene.node, tag)
		await scene.syncWell()
	}
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots')
	flipBit(join(folder, 'two/nb-1-big-Data.db'))
	const result = await verify(scene, scene.node.flags)
	t.is(result.exitCode, 3)
	assertNoTrace(t, result)
	const [first, second, third, ...more] = result.stderr.split('\n')
	t.regex(
		first ?? '',
		/^damaged: data\/ks\/t0000-\w+\/snapshots\/\w+\/nb-1-big-Data\.db: its CRC-32 is \w+, its receipt says \w+$/,
	)
	t.regex(second ?? '', /^ {2}also in \w+, \w+, which share it$/)
	t.regex(third ?? '', /^ {2}a good copy on the node: \/\S+\/nb-1-big-Data\.db$/)
	t.deepEqual(more, [])
	t.regex(result.stdout, /^verified 3 snapshots, 22 files read \(\S+ kB\) in \S+; 1 damage, 3 snapshots not good$/)
	chmodSync(folder, 0o755)
})

testWhere(missing, 'what this user may not read is named as unreadable, exit 3', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	execFileSync('chmod', ['-R', 'a+rX', scene.own])
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily')
	chmodSync(join(folder, 'nb-1-big-Data.db'), 0o000)
	const result = await verify(scene, ['--json'], { wrapper: asNobody })
	t.is(result.exitCode, 3)
	t.deepEqual(
		damagesOf(result).map(([path, kind]) => [basename(path), kind]),
		[['nb-1-big-Data.db', 'unreadable']],
	)
	t.is((await verify(scene)).exitCode, 0)
})
