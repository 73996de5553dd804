import { existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { assertNoTrace, makeScene, trueReceipts } from '../mirror/support/scene.ts'
import { cliFile, startCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { takeSnapshot } from '../support/tree.ts'

test('of runs that start at once one writes, each other one that meets it is refused with its pid and host', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	takeSnapshot(scene.node, 'daily')
	const results = await Promise.all(Array.from({ length: 4 }, () => scene.sync()))
	for (const result of results) {
		assertNoTrace(t, result)
		if (result.exitCode === 0) continue
		t.is(result.exitCode, 1)
		t.regex(result.stderr, new RegExp(`is being written by (process \\d+ on ${hostname()}|another process)`))
	}
	t.true(results.some(({ exitCode }) => exitCode === 0))
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 3)
})

test('a haven that another run makes in between is found, and not made twice', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const other = [
		cliFile,
		'--once',
		'-s',
		scene.haven,
		...scene.node.flags,
		'ks',
		'--state-dir',
		join(scene.own, 'other'),
	]
	const file = join(scene.haven, '.snaphaven/haven.json')
	// The other runs from its start to its end right before this one puts its haven.json.
	const between = `const fs = process.getBuiltinModule('node:fs')
		const { execFileSync } = process.getBuiltinModule('node:child_process')
		for (const name of ['link', 'rename']) {
			const original = fs[name]
			fs[name] = (from, to, ...rest) => {
				if (to === ${JSON.stringify(file)} && !fs.existsSync(to)) {
					execFileSync(process.execPath, ${JSON.stringify(other)}, { env: { ...process.env, NODE_OPTIONS: '' } })
					fs.copyFileSync(to, to + '.first')
				}
				return original(from, to, ...rest)
			}
		}`
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(between)}` }
	t.regex((await scene.syncWell([], { env })).stdout, /1 snapshot already safe/)
	t.is(readFileSync(file, 'utf8'), readFileSync(`${file}.first`, 'utf8'))
})

test('a run that is taken over says so, and not what it finds missing', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	// What a taker leaves that has ended meanwhile, at the first rename into the mirror.
	const taken = `const fs = process.getBuiltinModule('node:fs')
		const { rename, renameSync, readdirSync, rmSync } = fs
		const own = ${JSON.stringify(join(scene.haven, '.snaphaven'))}
		const takeOver = (to) => {
			if (!String(to).endsWith('/snapshots/daily')) return
			for (const name of readdirSync(own + '/partial')) renameSync(own + '/partial/' + name, own + '/partial/its.inherited-1')
			rmSync(own + '/lease.json', { force: true })
		}
		fs.rename = (from, to, ...rest) => (takeOver(to), rename(from, to, ...rest))
		fs.renameSync = (from, to) => (takeOver(to), renameSync(from, to))`
	const result = await scene.sync([], {
		env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(taken)}` },
	})
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /another process has taken over the haven \S+\/haven\n/)
	assertNoTrace(t, result)
	await scene.syncWell()
	t.is(trueReceipts(t, scene).length, 1)
})

test('a run whose holder was killed goes on at once', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily', { manifest: 'none' })
	const args = ['--once', '-s', scene.haven, ...scene.node.flags, 'ks']
	// Without a manifest it waits for the settle time, and holds the lease meanwhile.
	const holder = startCli(args, { stateDirectory: scene.state })
	while (!existsSync(join(scene.haven, '.snaphaven/lease.json'))) await new Promise((resolve) => setTimeout(resolve, 5))
	const refused = await scene.sync()
	t.is(refused.exitCode, 1)
	t.regex(
		refused.stderr,
		new RegExp(`is being written by process ${holder.pid} on ${hostname()}\n\\s+One process writes`),
	)
	holder.kill('SIGKILL')
	await holder
	await scene.syncWell(['--settle-time', '0'])
	t.is(trueReceipts(t, scene).length, 1)
})
