import { symlinkSync } from 'node:fs'
import test from 'ava'
import { runCli } from '../support/cli.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, type ServiceScene, sealedOf } from './support/service.ts'

async function ask({ haven, state }: ServiceScene) {
	const { exitCode, stdout } = await runCli(['status', '-s', haven, '--json'], { stateDirectory: state })
	return { exitCode, ...JSON.parse(stdout) }
}

test('the service tells its state to who asks, outlives SIGHUP, and leaves its last word', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const service = scene.start()
	await service.ready()
	takeSnapshot(scene.node, 'daily')
	await service.until('the seals', () => (service.said().match(/^sealed/gm) ?? []).length === 2)
	service.process.kill('SIGHUP')
	const { pid } = service.process
	const sealed = { sealed: 2, tables: 2, unsealed: 0, failing: [], waiting: [] }
	t.like(await ask(scene), { exitCode: 0, ok: true, running: true, pid, state: 'running', ...sealed })
	await service.stop()
	t.like(await ask(scene), { exitCode: 1, ok: false, running: false, pid, state: 'ending', ...sealed })
})

testWhere(
	nasfsMissing(),
	'a haven that hangs is told of, status says so meanwhile, and nothing is lost by it',
	async (t) => {
		const nas = await mountNas({ latencyMs: 0 })
		t.teardown(nas.unmount)
		const scene = makeServiceScene(t, { tables: 1 })
		symlinkSync(nas.path, scene.haven)
		const service = scene.start()
		await service.ready()
		nas.fault('any hang')
		takeSnapshot(scene.node, 'daily')
		await service.until('word of it', () =>
			/^error: the haven \S+ does not answer: a call to it hangs/m.test(service.said()),
		)
		const problems = ['the haven is in trouble']
		t.like(await ask(scene), { exitCode: 1, running: true, state: 'haven in trouble', problems, sealed: 0 })
		nas.fault()
		await service.until('its end', () => /^recovered: the haven \S+ works again, after /m.test(service.said()))
		await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
		await service.stop()
	},
)
