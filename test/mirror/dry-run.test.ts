import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { flushTables, tagFolders, takeSnapshot } from '../support/tree.ts'
import { changesBetween, fingerprint, makeScene, objectsOf } from './support/scene.ts'

test('a dry run says what would be done and touches nothing, not even the haven’s folder', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	const before = fingerprint(scene.own)
	const result = await scene.syncWell(['--dry-run'])
	t.is(result.stdout.match(/^planned ks\.t000\d daily: 18 files, 9\.17 kB$/gm)?.length, 2)
	t.regex(result.stdout, /^plan: 2 snapshots to seal \(36 files, 18\.3 kB\); nothing was touched$/m)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
	t.false(existsSync(scene.haven))
})

test('a dry run over a haven tells apart what is there, what is shared and what is new, and touches nothing', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'monday')
	await scene.syncWell()
	flushTables(scene.node)
	takeSnapshot(scene.node, 'tuesday')
	// A snapshot that holds no file to plan.
	const empty = join(tagFolders(scene.node, 'tuesday')[0]?.path ?? '', '../links')
	mkdirSync(empty)
	symlinkSync('/etc', join(empty, 'link'))
	const before = fingerprint(scene.own)
	const objects = objectsOf(await scene.syncWell(['--dry-run', '--json', '--settle-time', '0']))
	t.like(
		objects.find(({ tag }) => tag === 'tuesday'),
		{ type: 'planned', copied: { files: 10 }, reused: { files: 16 } },
	)
	t.like(objects.at(-1), { type: 'summary', dryRun: true, unchanged: 1, sealed: 0, planned: 2 })
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

test('a dry run over a known haven that is not there says so, as a run would', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'monday')
	await scene.syncWell()
	rmSync(scene.haven, { recursive: true })
	const result = await scene.sync(['--dry-run'])
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /is the NAS mounted\?/)
})
