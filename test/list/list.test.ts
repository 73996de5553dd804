import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { receiptPath } from '../../src/haven/layout.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	objectsOf,
	type Scene,
} from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { readExpected, unpackFixture } from '../support/fixtures.ts'
import { readReceipts } from '../support/receipts.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'

function list(scene: Pick<Scene, 'haven' | 'state'>, ...words: string[]) {
	return runCli(['list', '-s', scene.haven, ...words], { stateDirectory: scene.state })
}

async function twoTags(t: ExecutionContext): Promise<Scene> {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'one')
	await scene.syncWell()
	flushTables(scene.node)
	takeSnapshot(scene.node, 'two')
	await scene.syncWell()
	return scene
}

test('every tag of a real node is listed with what its receipts say, and nothing is written', async (t) => {
	const root = await unpackFixture('cassandra-5.0-bti')
	t.teardown(() => rmSync(root, { recursive: true, force: true }))
	const { dataDirectories, snapshots, keyspaces } = await readExpected(root)
	const [haven, state] = [join(root, 'haven'), join(root, 'state')]
	const data = dataDirectories.flatMap((path) => ['--data-dir', join(root, path)])
	await runCli(['sync', '--once', '-s', haven, ...data, ...keyspaces], { stateDirectory: state })
	const before = fingerprint(haven)
	const result = await list({ haven, state }, '--json', '--tables')
	t.is(result.exitCode, 0, result.stderr)
	const objects = objectsOf(result)
	const key = (one: { keyspace?: unknown; table?: unknown; tag?: unknown }) => `${one.keyspace} ${one.table} ${one.tag}`
	t.deepEqual(
		objects
			.filter(({ type }) => type === 'snapshot')
			.map(key)
			.sort(),
		snapshots
			.filter(({ keyspace }) => keyspaces.includes(keyspace))
			.map(key)
			.sort(),
	)
	const receipts = readReceipts(haven).flatMap((one) => ('receipt' in one ? [one.receipt] : []))
	const bytes = receipts.flatMap(({ files }) => files).reduce((sum, { size }) => sum + size, 0)
	t.like(objects.at(-1), { type: 'summary', exitCode: 0, snapshots: receipts.length, bytes })
	t.deepEqual(changesBetween(before, fingerprint(haven)), [])
})

test('people get a table of tags, and of tables and files where asked', async (t) => {
	const scene = await twoTags(t)
	const { stdout, stderr, exitCode } = await list(scene)
	t.deepEqual([exitCode, stderr], [0, ''])
	const [keyspace, headings, one, two, , summary] = stdout.split('\n')
	t.is(keyspace, 'ks')
	t.regex(headings ?? '', /^ {2}TAG +TAKEN +TABLES +FILES +SIZE +STORED +STATE$/)
	t.regex(one ?? '', /^ {2}one +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +2 +36 +18\.\d kB +18\.\d kB +sealed$/)
	t.regex(two ?? '', /^ {2}two +\S+ \S+ +2 +52 +2\d\.\d kB +9\.\d+ kB +sealed$/)
	t.regex(summary ?? '', /^2 tags, 4 snapshots, 88 files, /)
	const deeper = await list(scene, '--tables', '--bytes', '-t', 'two', 'ks.t0000')
	t.regex(deeper.stdout, /^ {2} {2}t0000 +\S+ \S+ +26 +\d{5} +\d{4} +sealed$/m)
	t.notRegex(deeper.stdout, /one|t0001/)
	const files = await list(scene, '--files', '-t', 'two', 'ks.t0000')
	t.is(files.stdout.match(/^ {6}nb-\S+ +\S+ \S?B +(reused|copied) +[0-9a-f]{8}$/gm)?.length, 24)
})

test('stored is what came with a snapshot, also by receipts that do not say it in their heads', async (t) => {
	const scene = await twoTags(t)
	const stored = async () => objectsOf(await list(scene, '--json')).map(({ storedBytes }) => storedBytes)
	const told = await stored()
	for (const found of readReceipts(scene.haven)) {
		const text = readFileSync(found.file, 'utf8').split('\n').slice(0, -2).join('\n').slice(0, -1)
		writeFileSync(
			found.file,
			withChecksum(`${text.replace(/"reusedByteCount":\d+,("reusedFrom":\[\[.*?\]\],)?/, '')}}`),
		)
	}
	t.deepEqual(await stored(), told)
})

/** Bytes of the mirror's files, each inode once. */
function bytesThere(haven: string): number {
	const lines = execFileSync('find', [join(haven, 'data'), '-type', 'f', '-printf', '%i %s\\n'], { encoding: 'utf8' })
	return [...new Set(lines.trim().split('\n'))].reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
}

test('what is stored in all is what the files take, whichever earlier snapshots were pruned', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	const tags = ['a', 'b', 'c', 'd', 'e']
	for (const [index, tag] of tags.entries()) {
		flushTables(scene.node, index + 1)
		for (const folder of scene.node.folders) {
			const live = join(scene.node.dataDirectories[0] ?? '', scene.node.keyspace, folder)
			for (const name of readdirSync(live)) if (name.startsWith(`nb-${index}-`)) rmSync(join(live, name))
		}
		takeSnapshot(scene.node, tag, { createdAt: `2026-11-1${index}T10:00:00.000Z` })
		await scene.syncWell()
	}
	const stored = async () => {
		const objects = objectsOf(await list(scene, '--json'))
		return objects.map(({ tag, storedBytes }) => [tag ?? 'all', storedBytes])
	}
	const first = Object.fromEntries(await stored())
	t.is(first.all, bytesThere(scene.haven))
	for (const kept of ['[bcde]', '[bde]', '[de]', '[e]']) {
		const flags = ['prune', '-s', scene.haven, ...scene.node.flags, '--keep-tag', kept]
		const { exitCode, stderr } = await runCli(flags, { stateDirectory: scene.state })
		t.is(exitCode, 0, stderr)
		const told = Object.fromEntries(await stored())
		t.is(told.all, bytesThere(scene.haven), kept)
		t.is(
			told.all,
			(await stored()).slice(0, -1).reduce((sum, [, bytes]) => sum + Number(bytes), 0),
		)
	}
})

test('tables that a tag lacks are named', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	takeSnapshot(scene.node, 'one')
	takeSnapshot(scene.node, 'two', { folders: scene.node.folders.slice(1) })
	await scene.syncWell()
	const { stdout } = await list(scene, '-t', 'two')
	t.regex(stdout, /^ {2}two .* 2 of 3 .*\n {4}lacks: t0000$/m)
	t.regex(stdout, /1 tag with gaps$/)
})

test('a snapshot in doubt is no sealed one, and is named', async (t) => {
	const scene = await twoTags(t)
	const partial = join(scene.haven, '.snaphaven/partial/0123456789abcdef')
	mkdirSync(partial)
	const key = { keyspace: 'ks', table: scene.node.folders[0] ?? '', tag: 'two' }
	const publications = [{ number: 0, key, receiptChecksum: '00000000' }]
	writeFileSync(join(partial, 'group-0.json'), withChecksum(JSON.stringify({ format: 1, publications })))
	const { stdout, exitCode } = await list(scene)
	t.is(exitCode, 0)
	t.regex(stdout, /^being sealed or removed: ks\/t0000-\w+\/snapshots\/two$/m)
	t.regex(stdout, /^2 tags, 3 snapshots/m)
})

test('a receipt that does not hold is named, exit 3', async (t) => {
	const scene = await twoTags(t)
	const path = receiptPath({ keyspace: 'ks', table: scene.node.folders[0] ?? '', tag: 'two' })
	writeFileSync(join(scene.haven, path), 'rubbish')
	const { stdout, stderr, exitCode } = await list(scene)
	t.is(exitCode, 3)
	t.is(stderr, `damaged: ${path}: its head can’t be understood`)
	t.regex(stdout, /^2 tags, 3 snapshots/m)
})

test('what is remembered of a table’s receipts counts only until one of them comes, goes or is replaced', async (t) => {
	const scene = await twoTags(t)
	const key = { keyspace: 'ks', table: scene.node.folders[0] ?? '', tag: 'two' }
	const receipt = join(scene.haven, receiptPath(key))
	const text = readFileSync(receipt, 'utf8')
	const count = async () => objectsOf(await list(scene, '--json')).at(-1)?.['snapshots']
	const longAgo = (second: number) => utimesSync(dirname(receipt), second, second)
	longAgo(1)
	t.is(await count(), 4)
	// Remembered by now: that it is written into shows only in what reads it whole.
	writeFileSync(receipt, 'rubbish')
	t.is(await count(), 4)
	rmSync(receipt)
	t.is(await count(), 3)
	longAgo(2)
	t.is(await count(), 3)
	writeFileSync(receipt, text)
	t.is(await count(), 4)
	rmSync(join(scene.state, readdirSync(scene.state).find((name) => name.startsWith('receipts-')) ?? 'none'))
	t.is(await count(), 4)
	writeFileSync(
		join(
			scene.state,
			`receipts-${JSON.parse(readFileSync(join(scene.haven, '.snaphaven/haven.json'), 'utf8')).id}.json`,
		),
		'{"half',
	)
	t.is(await count(), 4)
})

test('what fits nothing ends with 1, an empty haven with 0, no haven with 1', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell()
	t.like(await list(scene), { exitCode: 0, stdout: 'nothing is sealed in this haven yet' })
	t.like(await list(scene, 'other'), { exitCode: 1, stdout: 'nothing that is sealed fits' })
	const none = await list({ ...scene, haven: join(scene.own, 'nothing') })
	t.is(none.exitCode, 1)
	t.regex(none.stderr, /^error: there is no haven at /)
	assertNoTrace(t, none)
})
