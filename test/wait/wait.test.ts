import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
} from '../mirror/support/scene.ts'
import { runCli, startCli } from '../support/cli.ts'
import { clearSnapshot, flushTables, tagFolders, takeSnapshot } from '../support/tree.ts'
import { damage, says } from './support/scene.ts'

function line({ haven, node }: Scene, ...flags: string[]): string[] {
	return ['wait', '-s', haven, ...node.flags, '-t', 'daily', ...flags]
}

/** Waits no longer than for one look, where nothing else is said. */
function wait(scene: Scene, ...flags: string[]) {
	const timeout = flags.includes('--timeout') ? [] : ['--timeout', '0s']
	return runCli(line(scene, ...timeout, ...flags), { stateDirectory: scene.state })
}

test('a tag that is sealed for every table ends the waiting with 0, and nothing is written', async (t) => {
	const scene = makeScene(t, { tables: 3, dataDirectories: 2 })
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(0, 2) })
	takeSnapshot(scene.node, 'other')
	await scene.syncWell()
	const before = fingerprint(scene.own)
	for (const keyspaces of [[], ['ks'], ['--all-keyspaces']]) {
		const { exitCode, stdout, stderr } = await wait(scene, ...keyspaces)
		t.is(exitCode, 0, stderr)
		t.is(stderr, '')
		t.regex(stdout, /^sealed: daily, 2 tables \(36 files, 18\.\d+ kB\) in \S+$/)
	}
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

test('it waits until a pass has sealed the last table', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(0, 1) })
	await scene.syncWell()
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
	t.is((await wait(scene)).exitCode, 1)
	const waiting = startCli(line(scene, '-v', '2'), { stateDirectory: scene.state })
	await scene.syncWell()
	const { exitCode, stdout, stderr } = await waiting
	t.is(exitCode, 0, stderr)
	t.is(stdout.match(/^sealed ks\.t000\d daily: 18 files, /gm)?.length, 3)
	t.regex(stdout, /^sealed: daily, 3 tables/m)
})

test('what is sealed and gone from the node counts as sealed', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--move-snapshots'])
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
	t.regex((await wait(scene)).stderr, /daily is sealed for 1 of 2 tables/)
	await scene.syncWell()
	t.is((await wait(scene)).exitCode, 0)
})

test('a tag that was taken again is waited for until the new one is sealed', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	clearSnapshot(scene.node, 'daily')
	flushTables(scene.node)
	takeSnapshot(scene.node, 'daily')
	const { exitCode, stderr } = await wait(scene)
	t.is(exitCode, 1)
	t.regex(stderr, /^missing: ks\/t0000-\w+\/snapshots\/daily: what the haven has of that tag is older/m)
	await scene.syncWell()
	t.regex((await wait(scene)).stdout, /\(26 files/)
})

test('what is missing after the time is named, with why and who writes, exit 1', async (t) => {
	const scene = makeScene(t, { tables: 4 })
	const [one = '', two = '', three = '', four = ''] = scene.node.folders
	takeSnapshot(scene.node, 'daily', { folders: [one] })
	await scene.syncWell()
	takeSnapshot(scene.node, 'daily', { folders: [two] })
	takeSnapshot(scene.node, 'daily', { folders: [three], manifest: 'none' })
	takeSnapshot(scene.node, 'daily', { folders: [four] })
	const cut = tagFolders(scene.node, 'daily').find(({ folder }) => folder === four)?.path ?? ''
	rmSync(join(cut, 'nb-1-big-Data.db'))
	const result = await wait(scene, '--timeout', '700ms')
	t.is(result.exitCode, 1)
	assertNoTrace(t, result)
	t.is(result.stdout, '')
	t.deepEqual(result.stderr.replaceAll(/-[0-9a-f]{32}/g, '').split('\n'), [
		'missing: ks/t0001/snapshots/daily: it is complete on the node, and not in the haven yet',
		'missing: ks/t0002/snapshots/daily: it is not settled: it has no manifest.json, and it was not quiet for 60 s yet',
		'missing: ks/t0003/snapshots/daily: it is not settled: manifest.json names nb-1-big-Data.db, which is not there yet',
		/^error: .*$/m.exec(result.stderr)?.[0],
		'  Nobody writes to the haven now: does the service run?',
	])
	t.regex(result.stderr, /^error: daily is sealed for 1 of 4 tables after \S+$/m)
	const objects = objectsOf(await wait(scene, '--json'))
	t.deepEqual(
		objects.map(({ type, table }) => [type, table]),
		[
			['sealed', one],
			['missing', two],
			['missing', three],
			['missing', four],
			['summary', undefined],
		],
	)
	t.like(objects.at(-1), { exitCode: 1, tag: 'daily', sealed: 1, missing: 3, files: 18 })
})

test('only the keyspaces and tables that are asked for are waited for', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--exclude-table', 't0001'])
	mkdirSync(join(scene.node.dataDirectories[0] ?? '', 'other/t-5a1c395e9d3b11eeb9d10242ac120002/snapshots/daily'), {
		recursive: true,
	})
	t.regex((await wait(scene)).stderr, /sealed for 1 of 3 tables/)
	t.regex((await wait(scene, 'ks')).stderr, /sealed for 1 of 2 tables/)
	t.is((await wait(scene, '--exclude-table', 't0001', 'ks')).exitCode, 0)
	t.is((await wait(scene, '--include-table', '*0')).exitCode, 0)
})

test('a tag that no table has is told as that, exit 1', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'weekly')
	await scene.syncWell()
	const { exitCode, stderr } = await wait(scene, 'ks')
	t.is(exitCode, 1)
	t.regex(stderr, /^error: no table has the tag daily, after \S+: was it taken\?\n {2}Looked into ks, below \S+data\.$/)
})

test('a snapshot that is sealed as damaged is named, exit 3, also where another one is missing', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	damage(scene)
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(0, 1) })
	await scene.sync()
	const all = await wait(scene, '-q')
	t.is(all.exitCode, 3)
	t.regex(all.stderr, /^damaged: ks\/t0000-\w+\/snapshots\/daily: sealed as damaged at the source$/)
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
	const some = await wait(scene, '-q')
	t.is(some.exitCode, 3)
	t.regex(some.stderr, /^damaged: .*\nmissing: .*\nerror: daily is sealed for 1 of 2 tables/)
})

test('an unproven snapshot is sealed, with a warning', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily', { manifest: 'none' })
	await scene.syncWell(['--settle-time', '0.3'])
	const { exitCode, stderr } = await wait(scene)
	t.is(exitCode, 0)
	t.regex(stderr, /^warning: ks\.t0000 daily sealed as unproven/)
})

for (const [what, name] of [
	['publications', 'group-0.json'],
	['removals', 'removal-0.json'],
] as const) {
	test(`a snapshot that an intent of ${what} names does not count until the intent is gone`, async (t) => {
		const scene = makeScene(t, { tables: 2 })
		takeSnapshot(scene.node, 'daily')
		await scene.syncWell()
		const partial = join(scene.haven, '.snaphaven/partial/0123456789abcdef')
		const key = { keyspace: 'ks', table: scene.node.folders[1] ?? '', tag: 'daily' }
		mkdirSync(partial)
		writeFileSync(
			join(partial, name),
			withChecksum(
				JSON.stringify({ format: 1, [what]: [{ number: 0, key, receiptChecksum: '00000000', receiptId: 'x' }] }),
			),
		)
		const { exitCode, stderr } = await wait(scene)
		t.is(exitCode, 1)
		t.regex(stderr, /^missing: ks\/t0001-\w+\/snapshots\/daily: it is being sealed or removed, or a run was killed/m)
		t.regex(stderr, /sealed for 1 of 2 tables/)
		rmSync(partial, { recursive: true })
		t.is((await wait(scene)).exitCode, 0)
	})
}

test('a snapshot whose copy the haven has lost, or whose receipt does not hold, is not sealed', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const receipt = join(scene.haven, '.snaphaven/receipts/ks', scene.node.folders[0] ?? '', 'daily.json')
	const text = readFileSync(receipt, 'utf8')
	writeFileSync(receipt, text.replace('whole', 'whale'))
	t.is((await wait(scene)).exitCode, 1)
	writeFileSync(receipt, text)
	t.is((await wait(scene)).exitCode, 0)
	rmSync(mirrored(scene, 'daily'), { recursive: true })
	t.is((await wait(scene)).exitCode, 1)
})

test('a haven that is not there ends it with 1, and none is made', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const before = fingerprint(scene.own)
	const unknown = await wait(scene, '--timeout', '1h')
	t.is(unknown.exitCode, 1)
	t.regex(unknown.stderr, /^error: there is no haven at \S+haven\n {2}Is it mounted/)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
	await scene.syncWell()
	renameSync(scene.haven, `${scene.haven}-unmounted`)
	const known = await wait(scene, '--timeout', '1h', '--json')
	t.is(known.exitCode, 1)
	t.regex(known.stderr, /a haven was at \S+ before, and is not there now: is the NAS mounted\?/)
	t.like(JSON.parse(known.stdout), { type: 'error', exitCode: 1 })
})

test('a haven that goes away while it waits is told of once, and waited for', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(0, 1) })
	await scene.syncWell()
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
	const waiting = startCli(line(scene, '-v', '2'), { stateDirectory: scene.state })
	const told = says(waiting, 'stderr', /^waiting: a haven was at \S+ before, and is not there now/m)
	// Only what a first look found can go away.
	await says(waiting, 'stdout', /^sealed /)
	renameSync(scene.haven, `${scene.haven}-unmounted`)
	await told
	renameSync(`${scene.haven}-unmounted`, scene.haven)
	await scene.syncWell()
	const { exitCode, stderr } = await waiting
	t.is(exitCode, 0)
	t.is(stderr.match(/^waiting:/gm)?.length, 1)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test(`${signal} ends the waiting, exit 1`, async (t) => {
		const scene = makeScene(t, { tables: 2 })
		damage(scene)
		takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
		await scene.syncWell()
		takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(0, 1) })
		const waiting = startCli(line(scene, '-v', '2'), { stateDirectory: scene.state })
		await says(waiting, 'stdout', /^sealed /)
		waiting.kill(signal)
		const { exitCode, stderr } = await waiting
		t.is(exitCode, 1)
		t.regex(stderr, new RegExp(`^signal: ${signal}: ending`, 'm'))
		t.regex(stderr, /^interrupted: not all was seen to be sealed by then$/m)
		assertNoTrace(t, { exitCode, stderr, stdout: '', signal: undefined })
	})
}

test('an unknown keyspace is wrong usage', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const { exitCode, stderr } = await wait(scene, 'shop')
	t.is(exitCode, 2)
	t.regex(stderr, /no keyspace "shop" in \S+data\n {2}These keyspaces are there: ks\./)
})
