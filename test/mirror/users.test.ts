import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execaSync } from 'execa'
import { assertMirrored } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { type TreeOptions, tagFolders, takeSnapshot } from '../support/tree.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

const uid = 65_534
/** An ordinary user, and root as a NAS sees it that squashes root. */
const asNobody = ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
const withoutChown = ['setpriv', '--bounding-set=-chown', '--inh-caps=-chown', '--']

const missing =
	process.getuid?.() !== 0
		? 'needs root to be another user'
		: execaSync('setpriv', asNobody.slice(1).concat('true'), { reject: false }).exitCode === 0
			? undefined
			: 'needs setpriv'

/** A node of somebody else's, all of whose files anybody may read, and a haven that nobody may make. */
function makeForeign(t: ExecutionContext, form: TreeOptions = {}): Scene & { folder: string } {
	const scene = makeScene(t, { tables: 2, ...form })
	takeSnapshot(scene.node, 'daily')
	execFileSync('chown', ['-R', '1234:1234', scene.node.root])
	execFileSync('chmod', ['-R', 'a+rX', scene.own])
	for (const path of [scene.haven, scene.state]) {
		mkdirSync(path)
		chownSync(path, uid, uid)
	}
	return { ...scene, folder: tagFolders(scene.node, 'daily')[0]?.path ?? '' }
}

testWhere(
	missing,
	'an ordinary user mirrors what they may read: the copy is theirs, the receipt knows the owner',
	async (t) => {
		const scene = makeForeign(t)
		chmodSync(join(scene.folder, 'nb-1-big-Data.db'), 0o444)
		mkdirSync(join(scene.folder, '.idx'))
		writeFileSync(join(scene.folder, '.idx/file'), 'x')
		chownSync(join(scene.folder, '.idx/file'), 1234, 1234)
		for (const path of [join(scene.folder, '.idx'), scene.folder]) chmodSync(path, 0o555)
		await scene.syncWell([], { wrapper: asNobody })
		assertMirrored(scene.node, scene.haven)
		const copy = statSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db'))
		t.deepEqual([copy.uid, copy.mode], [uid, 0o100444])
		for (const { files } of trueReceipts(t, scene))
			for (const file of files as unknown as { uid: number }[]) t.is(file.uid, 1234)
		t.regex((await scene.syncWell([], { wrapper: asNobody })).stdout, /2 snapshots already safe/)
	},
)

testWhere(
	missing,
	'a large live file that nobody may write, and can’t be linked, is copied with its mode and time all the same',
	async (t) => {
		const scene = makeForeign(t, { dataBytes: 1_000_000 })
		const live = join(scene.folder, '../../nb-1-big-Data.db')
		chmodSync(live, 0o444)
		const refuse = `import fs from 'node:fs'
const { linkSync } = fs
fs.linkSync = (from, to) => {
	if (/big-Data.db$/.test(to)) throw Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1, syscall: 'link' })
	return linkSync(from, to)
}`
		const env = {
			SNAPHAVEN_TEST_SLICE_BYTES: '100000',
			NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(refuse)}`,
		}
		const flags = ['--sync-sstables', '--hardlink']
		const { stderr } = await scene.syncWell(flags, { wrapper: asNobody, env })
		t.notRegex(stderr, /could not be mirrored/)
		const [copy, source] = [
			statSync(join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'nb-1-big-Data.db')),
			statSync(live),
		]
		t.deepEqual([copy.uid, copy.mode, copy.nlink], [uid, 0o100444, 1])
		t.is(Math.round(copy.mtimeMs), Math.round(source.mtimeMs))
	},
)

testWhere(missing, 'root that may not give files away (a NAS that squashes root) keeps them as its own', async (t) => {
	const scene = makeForeign(t)
	await scene.syncWell([], { wrapper: withoutChown })
	assertMirrored(scene.node, scene.haven)
	t.is(statSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')).uid, 0)
})

testWhere(missing, 'a file that may not be read is named, its snapshot is not sealed, and the rest is', async (t) => {
	for (const [name, message] of [
		['nb-1-big-Index.db', /can’t open nb-1-big-Index\.db on the node: EACCES/],
		['manifest.json', /can’t read manifest\.json on the node \(EACCES\)/],
	] as const) {
		const scene = makeForeign(t)
		chmodSync(join(scene.folder, name), 0o600)
		const before = fingerprint(scene.node.root)
		const result = await scene.sync(['--move-snapshots'], { wrapper: asNobody })
		t.is(result.exitCode, 1)
		t.regex(result.stderr, message)
		t.regex(result.stderr, /Run as a user who may read Cassandra’s data/)
		t.notRegex(result.stderr, /^\s+at /m)
		t.is(trueReceipts(t, scene).length, 1)
		t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
	}
})

testWhere(missing, 'a folder inside a snapshot that may not be read is named', async (t) => {
	const scene = makeForeign(t)
	mkdirSync(join(scene.folder, '.idx'), { mode: 0o700 })
	writeFileSync(join(scene.folder, '.idx/file'), 'x')
	const result = await scene.sync([], { wrapper: asNobody })
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /failed ks\/t0000-\w+\/snapshots\/daily: can’t read \.idx on the node \(EACCES\)/)
	assertNoTrace(t, result)
	t.is(trueReceipts(t, scene).length, 1)
})

testWhere(missing, 'what may be read and not be deleted stays, with the reason, and is sealed', async (t) => {
	const scene = makeForeign(t)
	const before = fingerprint(scene.node.root)
	const result = await scene.sync(['--move-snapshots'], { wrapper: asNobody })
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /ks\.t0000-\w+ "daily" is sealed, but could not be deleted on the node: EACCES/)
	t.is(trueReceipts(t, scene).length, 2)
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
})

for (const [what, change, message] of [
	[
		'a data directory',
		(scene: Scene) => chmodSync(scene.node.dataDirectories[0] ?? '', 0o700),
		/the data directory \S+ may not be read by this user/,
	],
	[
		'a data directory of which only the names can be read',
		(scene: Scene) => chmodSync(scene.node.dataDirectories[0] ?? '', 0o744),
		/the data directory \S+ may not be read by this user/,
	],
	[
		'a haven that can’t be made',
		(scene: Scene) => chownSync(scene.haven, 0, 0),
		/the haven \S+ can’t be written by this user \(EACCES\)/,
	],
] as const) {
	testWhere(missing, `${what} is refused by name, exit 2, and nothing is touched`, async (t) => {
		const scene = makeForeign(t)
		change(scene)
		const before = fingerprint(scene.own)
		const result = await scene.sync([], { wrapper: asNobody })
		t.is(result.exitCode, 2)
		t.regex(result.stderr, message)
		assertNoTrace(t, result)
		t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
	})
}

testWhere(missing, 'a keyspace that may not be read is named, exit 1', async (t) => {
	const scene = makeForeign(t)
	chmodSync(join(scene.node.dataDirectories[0] ?? '', 'ks'), 0o700)
	const result = await scene.sync([], { wrapper: asNobody })
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /data\/ks can’t be read: EACCES/)
	t.notRegex(result.stderr, /^\s+at /m)
})
