import { spawn } from 'node:child_process'
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertNoTrace, makeScene, type Scene, trueReceipts } from '../mirror/support/scene.ts'
import { nodeBinary, runCli, startCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { makeTree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { type Behaviour, type FakeNodetool, makeNodetool } from './support/nodetool.ts'
import { damage, says } from './support/scene.ts'

interface SnapshotScene extends Scene {
	nodetool: FakeNodetool
	/** The arguments of `snaphaven snapshot` with these flags. */
	line: (...flags: string[]) => string[]
	snapshot: (...flags: string[]) => ReturnType<typeof runCli>
}

function makeSnapshotScene(t: ExecutionContext, behaviour: Behaviour = {}): SnapshotScene {
	const scene = makeScene(t, { tables: 2 })
	const nodetool = makeNodetool(scene.own, scene.node, behaviour)
	const line: SnapshotScene['line'] = (...flags) => {
		return ['snapshot', '-s', scene.haven, ...scene.node.flags, '--nodetool', nodetool.program, ...flags, 'ks']
	}
	const snapshot: SnapshotScene['snapshot'] = (...flags) => runCli(line(...flags), { stateDirectory: scene.state })
	return { ...scene, nodetool, line, snapshot }
}

function isOnNode({ node }: Scene, tag: string): boolean {
	return tagFolders(node, tag).every(({ path }) => existsSync(path))
}

function isGone({ node }: Scene, tag: string): boolean {
	return !tagFolders(node, tag).some(({ path }) => existsSync(path))
}

test('a snapshot is taken and sealed, no other one is, and its tag alone goes to stdout', async (t) => {
	const scene = makeSnapshotScene(t)
	takeSnapshot(scene.node, 'older')
	const { exitCode, stdout, stderr } = await scene.snapshot()
	t.is(exitCode, 0, stderr)
	t.regex(stdout, /^snaphaven-\d{8}T\d{6}Z$/)
	t.is(stderr.match(/^sealed ks\.t000\d snaphaven-\w+: 18 files/gm)?.length, 2)
	t.deepEqual(scene.nodetool.calls(), [['snapshot', '-t', stdout, '--', 'ks']])
	t.deepEqual(
		trueReceipts(t, scene).map(({ tag, state }) => [tag, state]),
		[
			[stdout, 'whole'],
			[stdout, 'whole'],
		],
	)
	t.true(isOnNode(scene, stdout))
	await scene.syncWell()
	t.is(assertMirrored(scene.node, scene.haven).snapshots, 4)
})

test('--clear clears it on the node once it is sealed, and nodetool gets its own flags', async (t) => {
	const scene = makeSnapshotScene(t)
	const flags = ['-t', 'x', '--ttl', '1d', '--host', 'localhost', '--port', '7199', '-u', 'me', '--password-file', '/p']
	const { exitCode, stdout, stderr } = await scene.snapshot(...flags, '--clear', '--json')
	t.is(exitCode, 0, stderr)
	const connection = ['-h', 'localhost', '-p', '7199', '-u', 'me', '-pwf', '/p']
	t.deepEqual(scene.nodetool.calls(), [
		[...connection, 'snapshot', '-t', 'x', '--ttl', '1d', '--', 'ks'],
		[...connection, 'clearsnapshot', '-t', 'x', '--', 'ks'],
	])
	const { elapsedMs, bytes, ...result } = JSON.parse(stdout)
	t.deepEqual(result, { type: 'snapshot', exitCode: 0, tag: 'x', tables: 2, files: 36, cleared: true })
	t.true(elapsedMs > 0 && bytes > 18_000)
	t.true(isGone(scene, 'x'))
	t.is(trueReceipts(t, scene).length, 2)
})

test('a clear that leaves something is a failure, which names it', async (t) => {
	const scene = makeSnapshotScene(t, { clearsNothing: true })
	const { exitCode, stdout, stderr } = await scene.snapshot('-t', 'x', '--clear')
	t.is(exitCode, 1)
	t.is(stdout, '')
	t.regex(stderr, /^error: nodetool cleared x, but 2 tables still have it: ks\/t0000-/m)
})

test('a damaged snapshot is sealed, named, and not cleared, exit 3', async (t) => {
	const scene = makeSnapshotScene(t)
	damage(scene)
	const { exitCode, stdout, stderr } = await scene.snapshot('-t', 'x', '--clear')
	t.is(exitCode, 3)
	t.is(stdout, 'x')
	t.is(stderr.match(/^damaged: /gm)?.length, 1)
	t.regex(stderr, /^damaged: ks\/t0000-\w+\/snapshots\/x\/nb-1-big-Data\.db: its CRC-32 is/m)
	t.regex(stderr, /^kept on the node: x is not cleared: 1 table sealed as damaged$/m)
	t.true(isOnNode(scene, 'x'))
	t.is(scene.nodetool.calls().length, 1)
})

test('what no manifest proves is sealed, and not cleared, exit 1', async (t) => {
	const scene = makeSnapshotScene(t, { snapshot: { manifest: 'none' }, old: true })
	const { exitCode, stderr } = await scene.snapshot('-t', 'x', '--clear')
	t.is(exitCode, 1)
	t.regex(stderr, /^kept on the node: x is not cleared: 2 tables sealed as unproven$/m)
	t.true(isOnNode(scene, 'x'))
})

test('nodetool’s failure is told with what it printed, exit 1', async (t) => {
	const scene = makeSnapshotScene(t)
	t.is((await scene.snapshot('-t', 'x', '-q')).stdout, '')
	const result = await scene.snapshot('-t', 'x')
	t.is(result.exitCode, 1)
	assertNoTrace(t, result)
	t.is(result.stdout, '')
	t.is(
		result.stderr,
		`error: ${scene.nodetool.program} snapshot -t x -- ks ended with 1
  error: Snapshot x already exists.
  See 'nodetool help' or 'nodetool help <command>'.`,
	)
})

test('nothing is taken where it could not be: no such keyspace, no such nodetool, no haven of ours', async (t) => {
	const scene = makeSnapshotScene(t)
	const unknown = await scene.snapshot('shop')
	t.is(unknown.exitCode, 2)
	t.regex(unknown.stderr, /no keyspace "shop"/)
	const elsewhere = scene.line().map((word) => (word === scene.nodetool.program ? '/nowhere/nodetool' : word))
	const missing = await runCli(elsewhere, { stateDirectory: scene.state })
	t.is(missing.exitCode, 2)
	t.is(
		missing.stderr,
		'error: there is no program /nowhere/nodetool\n  Give the path of Cassandra’s nodetool by --nodetool PATH',
	)
	await scene.syncWell()
	renameSync(scene.haven, `${scene.haven}-unmounted`)
	const unmounted = await scene.snapshot('--json')
	t.is(unmounted.exitCode, 1)
	t.regex(unmounted.stderr, /a haven was at \S+ before, and is not there now/)
	t.deepEqual(Object.keys(JSON.parse(unmounted.stdout)), ['type', 'exitCode', 'message', 'hint'])
	t.deepEqual(scene.nodetool.calls(), [])
})

test('a snapshot that is nowhere below the data directories is a failure', async (t) => {
	const scene = makeSnapshotScene(t)
	makeNodetool(scene.own, makeTree(join(scene.own, 'other')))
	const { exitCode, stderr } = await scene.snapshot('-t', 'x')
	t.is(exitCode, 1)
	t.regex(stderr, /^error: nodetool took the snapshot x, but no table has it below \S+node\/data\n {2}Is the data/)
})

test('who writes to the haven is waited for, and when it ends without the seal, it is made', async (t) => {
	const scene = makeSnapshotScene(t)
	await scene.syncWell()
	const holder = spawn(nodeBinary, [join(import.meta.dirname, '../haven/support/holder.ts'), scene.haven])
	t.teardown(() => holder.kill('SIGKILL'))
	await new Promise((resolve) => holder.stdout.once('data', resolve))
	// Long enough for it to be settled, however quick the machine.
	const late = await scene.snapshot('-t', 'late', '--timeout', '2s')
	t.is(late.exitCode, 1)
	t.is(late.stdout, '')
	t.regex(
		late.stderr,
		/^missing: ks\/t0000-\w+\/snapshots\/late: it is complete on the node, and not in the haven yet/m,
	)
	t.regex(late.stderr, new RegExp(`sealed for 0 of 2 tables .*\n {2}process ${holder.pid} on \\S+ writes to the haven`))
	const waiting = startCli(scene.line('-t', 'x'), { stateDirectory: scene.state })
	await says(waiting, 'stderr', new RegExp(`^waiting for process ${holder.pid} on `, 'm'))
	holder.kill('SIGKILL')
	const { exitCode, stdout, stderr } = await waiting
	t.is(exitCode, 0, stderr)
	t.is(stdout, 'x')
	t.is(trueReceipts(t, scene).filter(({ tag }) => tag === 'x').length, 2)
})

for (const flags of [[], ['--move-snapshots']]) {
	test(`where a service runs, it makes the seal ${flags}`, async (t) => {
		const scene = makeSnapshotScene(t)
		const service = startCli(['-s', scene.haven, ...scene.node.flags, ...flags, 'ks'], { stateDirectory: scene.state })
		t.teardown(() => service.kill('SIGKILL'))
		// It has the lease by then.
		await says(service, 'stderr', /begun: keyspace ks/)
		const { exitCode, stdout, stderr } = await scene.snapshot('-t', 'x')
		t.is(exitCode, 0, stderr)
		t.is(stdout, 'x')
		t.regex(stderr, new RegExp(`^waiting for process ${service.pid} on `))
		// The seal is what was waited for: the source goes after it.
		while (flags.length > 0 && !isGone(scene, 'x')) await new Promise((resolve) => setTimeout(resolve, 10))
		service.kill('SIGTERM')
		await service
		t.is(trueReceipts(t, scene).length, 2)
		t.is(isOnNode(scene, 'x'), flags.length === 0)
	})
}

test('a signal while nodetool runs ends it, and says that the snapshot may be on the node', async (t) => {
	const scene = makeSnapshotScene(t, { hangs: true })
	const running = startCli(scene.line('-t', 'x', '--json'), { stateDirectory: scene.state })
	while (!isOnNode(scene, 'x')) await new Promise((resolve) => setTimeout(resolve, 10))
	running.kill('SIGTERM')
	const result = await running
	t.is(result.exitCode, 1, result.stderr)
	t.regex(result.stderr, /^interrupted: the snapshot x may be on the node, or a part of it$/m)
	t.like(JSON.parse(result.stdout), { type: 'error', exitCode: 1, tag: 'x' })
})

test('--clear and --ttl are refused beside a service that mirrors deletions, and nothing is taken', async (t) => {
	const scene = makeSnapshotScene(t)
	const args = ['-s', scene.haven, ...scene.node.flags, '--mirror-deletes', 'ks']
	const service = startCli(args, { stateDirectory: scene.state })
	t.teardown(async () => {
		service.kill('SIGKILL')
		await service
	})
	for (;;) {
		const { stdout } = await runCli(['status', '-s', scene.haven, '--json'], { stateDirectory: scene.state })
		if (JSON.parse(stdout).running) break
	}
	for (const flags of [['--clear'], ['--ttl', '1d']]) {
		const { exitCode, stderr } = await scene.snapshot(...flags)
		t.is(exitCode, 2, stderr)
		t.regex(stderr, /removes what is cleared on the node \(--mirror-deletes\)/)
	}
	t.deepEqual(scene.nodetool.calls(), [])
})
