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
import { listenAsSystemd, notifyMissing, programMissing } from '../support/systemd.ts'
import { takeSnapshot } from '../support/tree.ts'
import { commandOf, settingsOf, shipped } from './support/unit.ts'

const installed = '/usr/local/bin/snaphaven'
const units = ['snaphaven.service', 'snaphaven@.service']
/** Of systemd's ten times as many; higher is worse. It was 22 when this was written. */
const exposureMax = '25'

/** The unit as it would be installed, with a command that is there. */
function install(t: ExecutionContext, unit: string): string {
	const folder = ownFolder(t)
	const command = join(folder, 'snaphaven')
	writeFileSync(command, `#!/bin/sh\nexec ${nodeBinary} ${cliFile} "$@"\n`)
	chmodSync(command, 0o755)
	const file = join(folder, unit)
	writeFileSync(file, shipped(`systemd/${unit}`).replaceAll(installed, command))
	return file
}

for (const unit of units) {
	testWhere(programMissing('systemd-analyze'), `systemd understands all of ${unit}`, async (t) => {
		const { exitCode, all } = await execa('systemd-analyze', ['verify', install(t, unit)], { all: true, reject: false })
		t.is(all, '')
		t.is(exitCode, 0)
	})

	testWhere(programMissing('systemd-analyze'), `${unit} lets the service do little more than it needs`, async (t) => {
		const { exitCode, stdout } = await execa(
			'systemd-analyze',
			['security', '--offline=true', `--threshold=${exposureMax}`, install(t, unit)],
			{ reject: false },
		)
		t.regex(stdout, /Overall exposure level/)
		t.is(exitCode, 0, stdout)
		const settings = settingsOf(shipped(`systemd/${unit}`))
		const held = ['ProtectSystem', 'NoNewPrivileges', 'CapabilityBoundingSet', 'ReadWritePaths', 'User']
		t.deepEqual(
			held.map((name) => String(settings.get(`Service.${name}`))),
			['strict', 'yes', '', '-/mnt', 'cassandra'],
		)
	})

	testWhere(
		notifyMissing(),
		`${unit} starts a service that says when it is ready, mirrors, and ends well`,
		async (t) => {
			const scene = makeScene(t)
			takeSnapshot(scene.node, 'daily')
			const { environment, next } = await listenAsSystemd(t)
			const settings = settingsOf(shipped(`systemd/${unit}`))
			const own = {
				SNAPHAVEN_INSTANCE: 'east',
				SNAPHAVEN_ARGS: `-s ${scene.own}/haven/{instance}  --fullsync ${scene.node.flags.join(' ')} ks`,
			}
			const [command, ...words] = commandOf(settings, own)
			t.is(command, installed)
			const running = execa(nodeBinary, [cliFile, ...words, '--state-dir', scene.state], {
				env: { ...environment, ...own },
				reject: false,
				timeout: 300_000,
			})
			const sealed = once(running.stdout, 'data')
			const hear = async (message: RegExp) => {
				while (!message.test(await next()));
			}
			await hear(/^READY=1$/)
			await Promise.race([sealed, running])
			running.kill('SIGTERM')
			const { exitCode, stderr } = await running
			t.is(exitCode, 0, stderr)
			await hear(/^STOPPING=1$/)
			t.true(assertMirrored(scene.node, join(scene.own, 'haven/east')).files > 0)
		},
	)
}

test('the template differs from the unit in nothing but its instance', (t) => {
	const [unit, template] = units.map((name) => settingsOf(shipped(`systemd/${name}`)))
	const differing = [...(template ?? [])].filter(([name, values]) => String(values) !== String(unit?.get(name)))
	t.deepEqual(Object.fromEntries(differing), {
		'Unit.Description': ["Mirror Cassandra's snapshots to the haven (%i)"],
		'Service.EnvironmentFile': ['-/etc/default/snaphaven', '-/etc/default/snaphaven-%i'],
		'Service.Environment': ['SNAPHAVEN_INSTANCE=%i'],
	})
	t.is(template?.size, (unit?.size ?? 0) + 1)
})

test('a service that is used wrongly is not started again and again', async (t) => {
	const settings = settingsOf(shipped('systemd/snaphaven.service'))
	t.deepEqual(settings.get('Service.RestartPreventExitStatus'), ['2'])
	t.deepEqual(settings.get('Service.Restart'), ['always'])
	const [, ...words] = commandOf(settings, {})
	const { exitCode, stderr } = await execa(nodeBinary, [cliFile, ...words], { reject: false })
	t.is(exitCode, 2)
	t.regex(stderr, /-s HAVEN is missing/)
})
