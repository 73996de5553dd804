import { existsSync } from 'node:fs'
import test from 'ava'
import { mirrored, trueReceipts } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, type ServiceScene } from './support/service.ts'

function prune(scene: ServiceScene, flags: string[]) {
	return runCli(['prune', '-s', scene.haven, ...scene.node.flags, ...flags], { stateDirectory: scene.state })
}

test('beside a running service prune works through it, and the service does not mirror again what went', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const service = scene.start()
	await service.ready()
	const sealed = () => service.said().match(/^sealed .*/gm)?.length ?? 0
	for (const [index, tag] of ['first', 'second', 'third'].entries()) {
		takeSnapshot(scene.node, tag, { createdAt: `2026-11-1${index}T10:00:00.000Z` })
		await service.until(`${tag} is sealed`, () => sealed() === 2 * (index + 1))
	}
	const { exitCode, stdout, stderr } = await prune(scene, ['--keep-last', '1'])
	t.is(exitCode, 0, stderr)
	t.regex(stdout, /^removed 4 snapshots, \S+ \S+ freed; kept 1 tag \(2 snapshots\)$/m)
	await service.until('it tells of each', () => service.said().match(/^pruned .*/gm)?.length === 4)
	// Looked at anew, whatever hints say: a rescan, and what is taken after it is sealed after it.
	service.process.kill('SIGHUP')
	takeSnapshot(scene.node, 'fourth')
	await service.until('fourth is sealed', () => sealed() === 8)
	await service.stop()
	t.true(existsSync(tagFolders(scene.node, 'first')[0]?.path ?? ''))
	t.false(existsSync(mirrored(scene, 'first')))
	const again = scene.start()
	await again.ready()
	await again.stop()
	t.deepEqual([...new Set(trueReceipts(t, scene).map(({ tag }) => tag))].sort(), ['fourth', 'third'])
})
