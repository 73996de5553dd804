import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { liveFolder, nodeFolders, removeSSTable } from '../live/support/live-set.ts'
import { filesBelow } from '../live/support/turn-scene.ts'
import { makeScene } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'
import { flipBit } from '../verify/support.ts'

test('--live gives back the last consistent set, to the byte, and a tag its own files whatever became of the live set', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2, sstables: 3 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--sync-sstables'])
	const folders = nodeFolders(scene.node, scene.node.folders[0] ?? '')
	flushTables(scene.node)
	for (const folder of folders) removeSSTable(folder, 'nb-1-big-')
	await scene.syncWell(['--sync-sstables'])
	const restore = (to: string, ...flags: string[]) =>
		runCli(['restore', '-s', scene.haven, '--to', join(scene.own, to), ...flags, 'ks'], { stateDirectory: scene.state })
	const live = await restore('live', '--live')
	t.is(live.exitCode, 0, live.stderr)
	t.regex(live.stdout, /restored the live set of ks\.t0000/)
	const expected = folders.flatMap((folder) =>
		[...filesBelow(folder, 'latin1')].filter(([path]) => !path.startsWith('snapshots/')),
	)
	t.deepEqual([...filesBelow(join(scene.own, 'live/ks/t0000'), 'latin1')].sort(), expected.sort())
	t.is((await restore('daily', '-t', 'daily')).exitCode, 0)
	const daily = filesBelow(join(scene.own, 'daily/ks/t0000'))
	t.is([...daily.keys()].filter((path) => path.endsWith('-Data.db')).length, 3)
	t.true(readFileSync(join(scene.own, 'daily/ks/t0000/nb-1-big-Data.db')).length > 0)

	flipBit(join(liveFolder(scene), 'nb-4-big-Data.db'))
	const damaged = await restore('damaged', '--live')
	t.is(damaged.exitCode, 3)
	t.regex(damaged.stderr, /nb-4-big-Data\.db/)
	t.is((await restore('x', '--live', '-t', 'daily')).exitCode, 2)
	t.is((await restore('x', '--live', '--offline')).exitCode, 2)
})

test('a haven without live sets says so', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const args = ['restore', '-s', scene.haven, '--to', join(scene.own, 'to'), '--live', 'ks']
	const { exitCode, stderr } = await runCli(args, { stateDirectory: scene.state })
	t.is(exitCode, 1)
	t.regex(stderr, /no live set is in the haven\n.*--sync-sstables/)
})
