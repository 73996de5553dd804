import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import PQueue from 'p-queue'
import { enqueue } from '../../src/mirror/attempt.ts'
import { startCli } from '../support/cli.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeScene, mirrored } from './support/scene.ts'

test('after an abort no task is begun, and one that was begun is waited for to its end', async (t) => {
	const stop = new AbortController()
	const pass = { queue: new PQueue({ concurrency: 1 }), signal: stop.signal }
	const work = Promise.withResolvers<string>()
	const order: string[] = []
	const running = enqueue(pass, 1, () => work.promise).then(
		() => order.push('ended'),
		() => order.push('let go'),
	)
	const waiting = enqueue(pass, 1, async () => order.push('begun')).catch(() => order.push('not begun'))
	stop.abort()
	await new Promise(setImmediate)
	t.deepEqual(
		order.filter((what) => what !== 'not begun'),
		[],
	)
	work.resolve('whole')
	await Promise.all([running, waiting])
	t.deepEqual(order.sort(), ['ended', 'not begun'])
})

testWhere(nasfsMissing(), 'Ctrl-C ends a copy in the middle of a file, however long the rest would take', async (t) => {
	// The copy would take a minute; whoever does not end within half of that is killed.
	const nas = await mountNas({ bandwidthMBs: 2 })
	t.teardown(nas.unmount)
	const scene = makeScene(t, { tables: 2, sstables: 1, dataBytes: 60_000_000 })
	takeSnapshot(scene.node, 'daily')
	const haven = join(nas.path, 'haven')
	const running = startCli(['--once', '-s', haven, ...scene.node.flags, 'ks'], {
		stateDirectory: scene.state,
		env: { SNAPHAVEN_TEST_PATIENCE: '30000' },
	})
	const partial = join(nas.backing, 'haven/.snaphaven/partial')
	const gathered = () =>
		existsSync(partial)
			? readdirSync(partial, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('-Data.db'))
			: []
	while (gathered().length < 2) await sleep(20)
	process.kill(Number(running.pid), 'SIGINT')
	const { exitCode, stderr } = await running
	t.is(exitCode, 1, stderr)
	t.regex(stderr, /interrupted: nothing is lost, run it again to go on/)
	t.false(existsSync(mirrored({ ...scene, haven }, 'daily')))
	t.deepEqual(readdirSync(partial), [])
})

test('Ctrl-C ends the sharing of many files between two of them', async (t) => {
	const scene = makeScene(t, { sstables: 20 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	takeSnapshot(scene.node, 'weekly')
	const shared = join(scene.own, 'shared')
	// The first file is shared, and nothing else happens until the signal has come.
	const signaller = `
import fs from 'node:fs'
const { linkSync } = fs
fs.linkSync = (from, to) => {
	linkSync(from, to)
	if (!/-big-/.test(to)) return
	fs.appendFileSync(${JSON.stringify(shared)}, '.')
	process.kill(process.pid, 'SIGINT')
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
}`
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(signaller)}` }
	const { exitCode, stderr } = await scene.sync([], { env })
	t.is(exitCode, 1, stderr)
	t.is(readFileSync(shared, 'utf8'), '.')
	t.false(existsSync(mirrored(scene, 'weekly')))
	t.deepEqual(readdirSync(join(scene.haven, '.snaphaven/partial')), [])
})
