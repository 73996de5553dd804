import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { nodeFolders, removeSSTable } from '../live/support/live-set.ts'
import { makeScene, type Scene } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { flushTables, linkBackups, takeSnapshot } from '../support/tree.ts'

/**
 * A table with a snapshot of the 1st, before which nb-1 was compacted away, and SSTables flushed on the days after it, nb-3 on the
 * 2nd and so on.
 */
async function makeDays(t: ExecutionContext, days: number): Promise<Scene> {
	const scene = makeScene(t)
	linkBackups(scene.node, 2)
	const written = (day: number, sstable: number) => {
		const date = new Date(`2026-11-0${day}T00:00:00Z`)
		for (const name of readdirSync(table(scene)).filter((one) => one.startsWith(`nb-${sstable}-`)))
			utimesSync(join(table(scene), name), date, date)
	}
	written(1, 1)
	written(1, 2)
	removeSSTable(table(scene), 'nb-1-big-')
	takeSnapshot(scene.node, 'daily', { createdAt: '2026-11-01T06:00:00.000Z' })
	for (let day = 2; day < 2 + days; day++) {
		flushTables(scene.node)
		linkBackups(scene.node)
		written(day, day + 1)
		await scene.syncWell(['--backups'])
	}
	return scene
}

const table = ({ node }: Scene) => nodeFolders(node, node.folders[0] ?? '')[0] ?? ''

async function restored(t: ExecutionContext, scene: Scene, at: string, to: string, more: string[] = ['--backups']) {
	const flags = ['restore', '-s', scene.haven, '--at', at, '--to', join(scene.own, to), ...more, 'ks']
	const result = await runCli(flags, { stateDirectory: scene.state })
	const folder = join(scene.own, to, 'ks/t0000')
	const names = result.exitCode === 0 ? readdirSync(folder).filter((name) => name.startsWith('nb-')) : []
	for (const name of names) t.deepEqual(readFileSync(join(folder, name)), readFileSync(join(table(scene), name)), name)
	return { ...result, sstables: [...new Set(names.map((name) => name.split('-').slice(0, 2).join('-')))].sort() }
}

test('a time between two flushes gives the snapshot before it and what was flushed by then, every byte of it', async (t) => {
	const scene = await makeDays(t, 3)
	const first = await restored(t, scene, '2026-11-03T12:00:00Z', 'out')
	t.is(first.exitCode, 0, first.stderr)
	t.deepEqual(first.sstables, ['nb-2', 'nb-3', 'nb-4'])
	const again = await restored(t, scene, '2026-11-03T12:00:00Z', 'out')
	t.is(again.exitCode, 0)
	const later = await restored(t, scene, '2026-11-05T00:00:00Z', 'out')
	t.is(later.exitCode, 2)
	t.regex(later.stderr, /it was restored from another snapshot/)
	t.deepEqual((await restored(t, scene, '2026-11-05T00:00:00Z', 'alone', [])).sstables, ['nb-2'])
})

test('what is damaged of incremental backups in the haven is found, and the table is not restored', async (t) => {
	const scene = await makeDays(t, 1)
	const file = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'backups/nb-3-big-Index.db')
	const bytes = readFileSync(file)
	rmSync(file)
	writeFileSync(file, bytes.fill(1, 0, 1))
	const { exitCode, stderr } = await restored(t, scene, '2026-11-05T00:00:00Z', 'out')
	t.is(exitCode, 3)
	t.regex(stderr, /nb-3-big-Index\.db/)
	const verified = await runCli(['verify', '-s', scene.haven], { stateDirectory: scene.state })
	t.is(verified.exitCode, 3)
	t.regex(verified.stderr, /backups\/nb-3-big-Index\.db/)
})

test('what was truncated since does not come back with incremental backups', async (t) => {
	const scene = await makeDays(t, 1)
	takeSnapshot(scene.node, `truncated-${Date.parse('2026-11-02T12:00:00Z')}-t0000`, {
		createdAt: '2026-11-02T12:00:00.000Z',
	})
	await scene.syncWell(['--backups'])
	const { exitCode, stderr } = await restored(t, scene, '2026-11-03T00:00:00Z', 'out')
	t.is(exitCode, 1)
	t.regex(stderr, /it was truncated or dropped at 2026-11-02T12:00:00\.000Z/)
})

test('--backups needs a time', async (t) => {
	const scene = makeScene(t)
	const flags = ['restore', '-s', scene.haven, '-t', 'daily', '--backups', '--to', join(scene.own, 'out'), 'ks']
	const { exitCode, stderr } = await runCli(flags, { stateDirectory: scene.state })
	t.is(exitCode, 2)
	t.regex(stderr, /--at TIME too/)
})
