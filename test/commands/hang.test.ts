import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { makeScene } from '../mirror/support/scene.ts'
import { type RunningCli, runCli, startCli } from '../support/cli.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'

const KILLED = /^signal: not ended after 0\.3 seconds: a call hangs, .* Killing this process; nothing is lost/m

/** Until one of its threads waits for the NAS. */
async function hangs(child: RunningCli): Promise<void> {
	const tasks = `/proc/${child.pid}/task`
	const waits = (task: string) => /fuse|request_wait/.test(readFileSync(`${tasks}/${task}/wchan`, 'latin1'))
	while (child.exitCode === null && !readdirSync(tasks).some(waits)) await pause(20)
}

testWhere(nasfsMissing(), 'while a call to the NAS hangs, Ctrl-C ends each command, and status answers', async (t) => {
	const nas = await mountNas({ latencyMs: 0 })
	t.teardown(nas.unmount)
	const scene = makeScene(t, { tables: 1 })
	const haven = join(nas.path, 'haven')
	takeSnapshot(scene.node, 'daily')
	const memory = { stateDirectory: scene.state }
	const sync = ['sync', '--once', '-s', haven, ...scene.node.flags]
	await runCli([...sync, 'ks'], memory)
	takeSnapshot(scene.node, 'next')
	nas.fault('any hang')
	// Until the kernel has forgotten what it knows of it.
	await pause(1100)
	const place = ['-s', haven, ...scene.node.flags]
	const commands: [words: string[], end: 'kills itself' | 'ends at once'][] = [
		[[...sync, '--move-snapshots', 'ks'], 'kills itself'],
		[[...sync, '--sync-sstables', '--backups', '--prune-backups', 'ks'], 'kills itself'],
		[[...sync, '--dry-run', 'ks'], 'kills itself'],
		[['verify', ...place], 'kills itself'],
		[['restore', '-s', haven, '-t', 'daily', '--to', join(scene.own, 'to'), 'ks'], 'kills itself'],
		[['prune', ...place, '--keep-last', '1', 'ks'], 'kills itself'],
		[['adopt', ...place], 'kills itself'],
		[['wait', ...place, '-t', 'next', 'ks'], 'kills itself'],
		[['list', '-s', haven], 'ends at once'],
	]
	await Promise.all(
		commands.map(async ([words, end]) => {
			const child = startCli(words, { ...memory, env: { SNAPHAVEN_TEST_PATIENCE: '300' }, timeoutMs: 120_000 })
			await hangs(child)
			child.kill('SIGINT')
			const { signal, stderr, timedOut } = await child
			t.false(timedOut, `${words[0]}: it was the test that killed it`)
			t.is(signal, end === 'ends at once' ? 'SIGINT' : 'SIGKILL', `${words[0]}: ${stderr}`)
			if (end === 'kills itself') t.regex(stderr, KILLED, words[0])
		}),
	)
	const { exitCode, stdout, stderr } = await runCli(['status', '-s', haven], memory)
	t.is(exitCode, 1)
	t.regex(stdout + stderr, /not running/)
	nas.fault()
	t.is((await runCli([...sync, 'ks'], memory)).exitCode, 0)
})
