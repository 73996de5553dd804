import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { makeScene } from '../mirror/support/scene.ts'
import { cliFile, nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { programMissing } from '../support/systemd.ts'
import { takeSnapshot } from '../support/tree.ts'
import { shipped, stanzasOf } from './support/unit.ts'

const file = 'upstart/snaphaven.conf'

/** The job's script, for a settings file and a command that are there. */
function installScript(t: ExecutionContext, args: string): string {
	const folder = ownFolder(t)
	const [settings, command, script] = ['settings', 'snaphaven', 'script'].map((name) => join(folder, name))
	writeFileSync(settings ?? '', `SNAPHAVEN_ARGS="${args}"\nXDG_STATE_HOME=${folder}\n`)
	writeFileSync(command ?? '', `#!/bin/sh\nexec ${nodeBinary} ${cliFile} "$@"\n`)
	chmodSync(command ?? '', 0o755)
	const text = stanzasOf(shipped(file)).get('script') ?? ''
	t.true(text.includes('/etc/default/snaphaven') && text.includes('/usr/local/bin/snaphaven'))
	writeFileSync(
		script ?? '',
		text
			.replaceAll('/etc/default/snaphaven', settings ?? '')
			.replaceAll('/usr/local/bin/snaphaven', command ?? '')
			.replaceAll(/^\s+/gm, ''),
	)
	return script ?? ''
}

test('the job is whole: it comes back when it dies, but not after wrong usage, nor when it was stopped', (t) => {
	const stanzas = stanzasOf(shipped(file))
	t.like(Object.fromEntries(stanzas), {
		respawn: '',
		'respawn limit': 'unlimited',
		'normal exit': '0 2 TERM',
		'post-stop exec': 'sleep 5',
		setuid: 'cassandra',
	})
	t.truthy(stanzas.get('start on'))
	t.truthy(stanzas.get('stop on'))
})

testWhere(
	programMissing('ionice'),
	'the job’s process is the service itself, which mirrors and ends well when it is stopped',
	async (t) => {
		const scene = makeScene(t)
		takeSnapshot(scene.node, 'daily')
		const args = `-s ${scene.own}/haven-{host} --fullsync --state-dir ${scene.state} ${scene.node.flags.join(' ')} --include-table t* ks`
		const running = execa('sh', ['-e', installScript(t, args)], { cwd: '/', reject: false, timeout: 300_000 })
		await Promise.race([once(running.stdout, 'data'), running])
		running.kill('SIGTERM')
		const { exitCode, stdout, stderr } = await running
		t.is(exitCode, 0, stderr)
		t.regex(stdout, /^\d{4}-\d\d-\d\dT\S+Z sealed ks\./)
		const host = (await execa('uname', ['-n'])).stdout.split('.')[0]
		t.true(assertMirrored(scene.node, join(scene.own, `haven-${host}`)).files > 0)
	},
)
