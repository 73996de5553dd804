import { existsSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import {
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from '../mirror/support/scene.ts'
import { makeServiceScene } from '../service/support/service.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { clearSnapshot, flushTables, takeSnapshot } from '../support/tree.ts'

/** A node with two tags, which cp has copied to where a haven has its mirror. */
async function copied(t: ExecutionContext, cp = 'cp -a', scene: Scene = makeScene(t, { tables: 2 })): Promise<Scene> {
	for (const tag of ['first', 'second']) {
		takeSnapshot(scene.node, tag)
		flushTables(scene.node)
	}
	const [source = ''] = scene.node.dataDirectories
	for (const table of scene.node.folders) {
		const target = join(scene.haven, 'data', scene.node.keyspace, table)
		await mkdir(target, { recursive: true })
		const [file = '', ...flags] = cp.split(' ')
		await execa(file, [...flags, join(source, scene.node.keyspace, table, 'snapshots'), target])
	}
	return scene
}

function adopt(scene: Scene, flags: string[] = [], env: Record<string, string> = {}): Promise<CliResult> {
	return runCli(['adopt', '-s', scene.haven, ...scene.node.flags, ...flags], { stateDirectory: scene.state, env })
}

function names(t: ExecutionContext, scene: Scene): string[] {
	const place = (table: string) => scene.node.folders.indexOf(table)
	return trueReceipts(t, scene)
		.map(({ table, tag }) => `${place(table)} ${tag}`)
		.sort()
}

const ALL = ['0 first', '0 second', '1 first', '1 second']
const mirror = (scene: Scene) => fingerprint(join(scene.haven, 'data'))

// Without a `sync` to be found, each file and folder is flushed by itself, as on a NAS.
for (const [cp, env] of [
	['cp -a', {}],
	['cp -r', { PATH: '' }],
] as const) {
	test(`what ${cp} copied gets receipts, and nothing of it is copied again or changed`, async (t) => {
		const scene = await copied(t, cp)
		const before = mirror(scene)
		const { exitCode, stderr, stdout } = await adopt(scene, [], env)
		t.is(exitCode, 0, stderr)
		t.regex(stdout, /^adopted 4 snapshots \(\d+ files, .*\)$/m)
		t.deepEqual(names(t, scene), ALL)
		t.true(trueReceipts(t, scene).every(({ state }) => state === 'whole'))
		t.regex((await scene.syncWell()).stdout, /^done: 4 snapshots already safe/m)
		t.deepEqual(changesBetween(before, mirror(scene)), [])
		const verified = await runCli(['verify', '-s', scene.haven], { stateDirectory: scene.state })
		t.is(verified.exitCode, 0, verified.stderr)
		t.is((await adopt(scene)).exitCode, 0)
	})
}

test('what the node has with other bytes is not adopted, and the next pass mirrors it anew', async (t) => {
	const scene = await copied(t)
	const path = join(mirrored(scene, 'first'), 'nb-1-big-Index.db')
	const bytes = readFileSync(path)
	rmSync(path)
	bytes[3] = (bytes[3] ?? 0) ^ 1
	writeFileSync(path, bytes)
	// Of another time in any case: the node's may be of this very second.
	utimesSync(path, 1000, 1000)
	const { exitCode, stderr } = await adopt(scene)
	t.is(exitCode, 1)
	t.regex(stderr, /^not adopted: \S+\/first: the node has that snapshot still, and nb-1-big-Index.db has other bytes/m)
	t.deepEqual(names(t, scene), ALL.slice(1))
	await scene.syncWell()
	t.deepEqual(names(t, scene), ALL)
})

test('a copy that lacks what its manifest names is told as damage and left alone', async (t) => {
	const scene = await copied(t)
	clearSnapshot(scene.node, 'first')
	rmSync(join(mirrored(scene, 'first'), 'nb-1-big-Data.db'))
	await execa('find', [mirrored(scene, 'first'), '-exec', 'touch', '-d', '2 hours ago', '{}', '+'])
	const before = mirror(scene)
	const { exitCode, stderr } = await adopt(scene)
	t.is(exitCode, 3)
	t.regex(stderr, /^not adopted: \S+\/first: manifest.json names nb-1-big-Data.db, which is not there$/m)
	t.deepEqual(names(t, scene), ALL.slice(1))
	t.deepEqual(changesBetween(before, mirror(scene)), [])
})

test('a copy whose bytes are not what Cassandra’s digest says is adopted as damaged, where the node has it no more', async (t) => {
	const scene = await copied(t)
	clearSnapshot(scene.node, 'second')
	const path = join(mirrored(scene, 'second'), 'nb-3-big-Data.db')
	const bytes = readFileSync(path)
	bytes[9] = (bytes[9] ?? 0) ^ 1
	rmSync(path)
	writeFileSync(path, bytes)
	const result = await adopt(scene, ['--json'])
	t.is(result.exitCode, 3)
	const states = objectsOf(result).filter(({ type }) => type === 'adopted')
	t.deepEqual(states.map(({ state }) => state).sort(), ['damaged', 'whole', 'whole', 'whole'])
	t.deepEqual(names(t, scene), ALL)
})

test('a dry run names the copies, and touches nothing', async (t) => {
	const scene = await copied(t)
	const before = fingerprint(scene.own)
	const { exitCode, stdout } = await adopt(scene, ['-n', '-t', 'f*'])
	t.is(exitCode, 0)
	t.regex(stdout, /^would look at ks.t0000 first\nwould look at ks.t0001 first\nwould look at 2 snapshots$/m)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

test('where no copies are, no haven is made', async (t) => {
	const scene = makeScene(t)
	const { exitCode, stderr } = await adopt(scene)
	t.is(exitCode, 1)
	t.regex(stderr, /^error: there is nothing to adopt in /m)
	t.false(existsSync(scene.haven))
})

test('beside a running service adopt works through it', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const service = scene.start()
	await service.ready()
	await copied(t, 'cp -a', { ...scene, node: { ...scene.node, keyspace: 'other' } })
	const { exitCode, stderr } = await adopt(scene)
	t.is(exitCode, 0, stderr)
	await service.until('it tells of each', () => service.said().match(/^adopted .*/gm)?.length === 4)
	await service.stop()
	t.deepEqual(names(t, scene), ALL)
})
