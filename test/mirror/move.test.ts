import { execFileSync } from 'node:child_process'
import {
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { testWhere } from '../support/not-run.ts'
import { readReceipts } from '../support/receipts.ts'
import { clearSnapshot, tagFolders, takeSnapshot } from '../support/tree.ts'
import {
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'

/** All of the node but for what a deletion changes: folders' times and sizes, and how many links a file has. */
function nodeBeside({ node }: Scene, gone: string[]): string[] {
	const lines = fingerprint(node.root, '%P %y %i %s %m %U %G').map((line) => line.replace(/( d \d+) \d+/, '$1'))
	return lines.filter(
		(line) => !gone.some((tag) => line.includes(`/snapshots/${tag} `) || line.includes(`/snapshots/${tag}/`)),
	)
}

function isGone({ node }: Scene, tag: string): boolean {
	return tagFolders(node, tag).every(({ path }) => !existsSync(path))
}

function firstFolder({ node }: Scene, tag: string): string {
	return tagFolders(node, tag)[0]?.path ?? ''
}

for (const manifest of ['one', 'every'] as const) {
	test(`a snapshot is gone from the node after its seal, and nothing else is (${manifest} data directory with a manifest)`, async (t) => {
		const scene = makeScene(t, { tables: 2, dataDirectories: 2, sstables: 3 })
		for (const tag of ['daily', 'other']) takeSnapshot(scene.node, tag, { manifest })
		for (const { path } of tagFolders(scene.node, 'daily')) {
			mkdirSync(join(path, '.by_city/deeper'), { recursive: true })
			writeFileSync(join(path, `.by_city/deeper/nb-${path.includes('data2') ? 2 : 1}-big-Data.db`), 'index')
		}
		const before = nodeBeside(scene, ['daily'])
		const result = await scene.syncWell(['--move-snapshots', '--snapshot-regex', 'daily', '--json'])
		t.is(objectsOf(result).filter(({ type }) => type === 'moved').length, 2)
		t.true(isGone(scene, 'daily'))
		t.deepEqual(changesBetween(before, nodeBeside(scene, ['daily'])), [])
		const receipts = trueReceipts(t, scene)
		t.deepEqual(
			receipts.map(({ files }) => files.length),
			[3 * 8 + 4, 3 * 8 + 4],
		)
	})
}

test('schema and manifest that stand twice with other bytes are moved too', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2 })
	takeSnapshot(scene.node, 'daily', { manifest: 'every' })
	tagFolders(scene.node, 'daily').forEach(({ path }, at) => {
		writeFileSync(join(path, 'schema.cql'), `CREATE TABLE ks.t (version${at} int PRIMARY KEY)`)
		for (const name of ['schema.cql', 'manifest.json']) utimesSync(join(path, name), 2000 - at, 2000 - at)
	})
	await scene.syncWell(['--move-snapshots'])
	t.true(isGone(scene, 'daily'))
	trueReceipts(t, scene)
})

test('a snapshot that was sealed before is moved when that is asked for later', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2 })
	takeSnapshot(scene.node, 'daily', { manifest: 'every' })
	await scene.syncWell()
	const { stdout } = await scene.syncWell(['--move-snapshots'])
	t.regex(stdout, /1 snapshot already safe, 1 snapshot gone from the node/)
	t.true(isGone(scene, 'daily'))
})

/** Kills the process where it is about to delete the first file on the node. */
const killer = `
import fs from 'node:fs'
for (const name of ['unlink', 'unlinkSync']) {
	const real = fs[name]
	fs[name] = (path, ...rest) => {
		if (/^\\/proc\\/\\d+\\/fd\\/\\d+\\/nb-/.test(path)) process.kill(process.pid, 'SIGKILL')
		return real(path, ...rest)
	}
}`

for (const sealedBefore of [false, true]) {
	const when = sealedBefore ? 'in an earlier run' : 'in the same run'
	test(`before the first file goes from the node the receipt says so, where it was sealed ${when}`, async (t) => {
		const scene = makeScene(t, { tables: 2 })
		takeSnapshot(scene.node, 'daily')
		if (sealedBefore) {
			await scene.syncWell()
			t.deepEqual(
				trueReceipts(t, scene).map(({ moving }) => moving),
				[undefined, undefined],
			)
		}
		const before = nodeBeside(scene, [])
		const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(killer)}` }
		t.is((await scene.sync(['--move-snapshots'], { env })).signal, 'SIGKILL')
		t.deepEqual(changesBetween(before, nodeBeside(scene, [])), [])
		const marked = readReceipts(scene.haven).map((found) => 'receipt' in found && found.receipt.moving)
		t.true(marked.includes(true))
		await scene.syncWell(['--move-snapshots'])
		t.true(isGone(scene, 'daily'))
		t.deepEqual(
			trueReceipts(t, scene).map(({ moving }) => moving),
			[true, true],
		)
	})
}

test('a dry run moves nothing', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	takeSnapshot(scene.node, 'weekly')
	const before = fingerprint(scene.own)
	await scene.syncWell(['--move-snapshots', '--dry-run'])
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

const kept: [string, (folder: string) => void, RegExp][] = [
	[
		'a file that came after',
		(folder) => writeFileSync(join(folder, 'extra'), 'x'),
		/it is not what was copied: extra is not in the receipt/,
	],
	[
		'a link',
		(folder) => symlinkSync('/etc/hostname', join(folder, 'link')),
		/it holds link, a symbolic link, which is not in the haven/,
	],
	[
		'another file of the same name, size and time',
		(folder) => {
			const path = join(folder, 'nb-1-big-Index.db')
			const other = join(folder, '..', 'other')
			writeFileSync(other, Buffer.alloc(80))
			utimesSync(other, 1000, 1000)
			rmSync(path)
			renameSync(other, path)
		},
		/it is not what was copied: nb-1-big-Index\.db is not the file that was copied/,
	],
]
for (const [what, change, reason] of kept) {
	test(`a sealed snapshot with ${what} stays on the node whole, with the reason`, async (t) => {
		const scene = makeScene(t)
		takeSnapshot(scene.node, 'daily')
		await scene.syncWell()
		const folder = firstFolder(scene, 'daily')
		const time = join(scene.own, 'time')
		execFileSync('touch', ['--reference', folder, time])
		change(folder)
		// As far as its folder tells nothing has changed: the listing just before the deletion finds it.
		execFileSync('touch', ['--reference', time, folder])
		const before = fingerprint(folder)
		const { stderr, stdout } = await scene.syncWell(['--move-snapshots'])
		t.regex(stderr, reason)
		t.regex(stdout, /1 snapshot already safe/)
		t.deepEqual(changesBetween(before, fingerprint(folder)), [])
		t.is(trueReceipts(t, scene)[0]?.moving, undefined)
	})
}

test('a link in a snapshot is left out, told of, and keeps the snapshot on the node', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	symlinkSync('/etc/hostname', join(firstFolder(scene, 'daily'), 'link'))
	const before = nodeBeside(scene, [])
	const { stderr } = await scene.syncWell(['--move-snapshots'])
	t.regex(stderr, /link of ks\.\S+ "daily" is a symbolic link: it is left out/)
	t.regex(stderr, /kept on the node .*: it holds link, a symbolic link/)
	t.deepEqual(changesBetween(before, nodeBeside(scene, [])), [])
	t.false(trueReceipts(t, scene)[0]?.files.some(({ path }) => path === 'link'))
})

test('an unproven snapshot stays on the node', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily', { manifest: 'none' })
	const before = fingerprint(scene.node.root)
	const { stderr } = await scene.syncWell(['--move-snapshots', '--settle-time', '0.3'])
	t.regex(stderr, /kept on the node .*: nothing proves that Cassandra had finished it/)
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
	const [receipt] = trueReceipts(t, scene)
	t.is(receipt?.state, 'unproven')
	t.is(receipt?.moving, undefined)
})

test('a deletion that was stopped in the middle is finished by the next run', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2, sstables: 3 })
	takeSnapshot(scene.node, 'daily', { manifest: 'every' })
	await scene.syncWell()
	for (const { path } of tagFolders(scene.node, 'daily'))
		for (const name of readdirSync(path)) if (name.startsWith('nb-')) unlinkSync(join(path, name))
	const result = await scene.syncWell(['--move-snapshots', '--json'])
	t.deepEqual(
		objectsOf(result).map(({ type }) => type),
		['moved', 'summary'],
	)
	t.true(isGone(scene, 'daily'))
	t.is(trueReceipts(t, scene)[0]?.files.length, 3 * 8 + 2)
})

test('what looks like the rest of a sealed snapshot, and is the beginning of a new one, is not deleted', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const folder = firstFolder(scene, 'daily')
	clearSnapshot(scene.node, 'daily')
	mkdirSync(folder)
	// Cassandra takes the same tag again: it links the same SSTables first.
	const live = join(folder, '../..')
	for (const name of readdirSync(live).filter((one) => one.startsWith('nb-1-')))
		linkSync(join(live, name), join(folder, name))
	const before = readdirSync(folder)
	await scene.sync(['--move-snapshots', '--settle-time', '0.5'])
	t.deepEqual(readdirSync(folder), before)
	t.is(trueReceipts(t, scene)[0]?.files.length, 2 * 8 + 2)
})

test('nothing is deleted on the node whose copy the haven has lost', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	rmSync(join(mirrored(scene, 'daily'), 'nb-1-big-Data.db'))
	const before = fingerprint(firstFolder(scene, 'daily'))
	const { stderr } = await scene.sync(['--move-snapshots'])
	t.regex(stderr, /kept on the node .*: the haven has lost nb-1-big-Data\.db of it/)
	t.deepEqual(changesBetween(before, fingerprint(firstFolder(scene, 'daily'))), [])
})

test('a snapshot with different files of one name in two data directories is kept', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2 })
	takeSnapshot(scene.node, 'daily')
	const [one, other] = tagFolders(scene.node, 'daily')
	for (const [at, folder] of [one, other].entries()) writeFileSync(join(folder?.path ?? '', 'twice'), `of ${at}`)
	const before = fingerprint(scene.node.root)
	const { exitCode, stderr } = await scene.sync(['--move-snapshots'])
	t.is(exitCode, 1)
	t.regex(stderr, /two data directories hold different files named "twice"/)
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
	t.deepEqual(trueReceipts(t, scene), [])
})

test('a tag’s folder that is a link is never followed, and named where its tag is asked for', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const folder = firstFolder(scene, 'daily')
	renameSync(folder, join(scene.own, 'elsewhere'))
	symlinkSync(join(scene.own, 'elsewhere'), folder)
	const before = fingerprint(join(scene.own, 'elsewhere'))
	const { stderr } = await scene.syncWell(['--move-snapshots'])
	t.regex(stderr, /^warning: ks\.t0000-\S+ "daily" is a symbolic link in \S+\/data: it is left out$/m)
	t.deepEqual(changesBetween(before, fingerprint(join(scene.own, 'elsewhere'))), [])
	t.deepEqual(trueReceipts(t, scene), [])
	const other = await scene.syncWell(['--snapshot-regex', 'weekly'])
	t.notRegex(other.stderr, /symbolic link/)
})

testWhere(notRoot, 'what is mounted into a snapshot is named, and neither copied nor deleted', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const [tag = ''] = tagFolders(scene.node, 'daily').map(({ path }) => path)
	const [table, loop] = [join(tag, '../..'), join(tag, '.loop')]
	mkdirSync(loop)
	execFileSync('mount', ['--bind', table, loop])
	t.teardown(() => execFileSync('umount', ['--lazy', loop]))
	const before = readdirSync(table)
	const { stderr } = await scene.sync(['--move-snapshots'])
	t.regex(stderr, /\.loop of ks\.\S+ "daily" is a mount point: it is left out/)
	t.regex(stderr, /kept on the node .*: it holds \.loop, a mount point, which is not in the haven/)
	t.deepEqual(readdirSync(table), before)
	t.true(existsSync(join(tag, 'manifest.json')))
	t.false(existsSync(join(mirrored(scene, 'daily'), '.loop')))
	t.deepEqual(
		trueReceipts(t, scene).flatMap(({ files }) => files.filter(({ path }) => path.startsWith('.loop'))),
		[],
	)
})
