import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from '../mirror/support/scene.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { clearSnapshot, flushTables, takeSnapshot } from '../support/tree.ts'

const TAGS = ['first', 'second', 'third', 'fourth']

/** A scene with four tags in the haven, each of which shares files with those before. */
async function sealed(t: ExecutionContext, options: Parameters<typeof makeScene>[1] = {}): Promise<Scene> {
	const scene = makeScene(t, options)
	for (const [day, tag] of TAGS.entries()) {
		takeSnapshot(scene.node, tag, { createdAt: `2026-11-1${day}T10:00:00.000Z` })
		flushTables(scene.node)
	}
	await scene.syncWell()
	return scene
}

function prune(scene: Scene, flags: string[]): Promise<CliResult> {
	return runCli(['prune', '-s', scene.haven, ...scene.node.flags, ...flags], { stateDirectory: scene.state })
}

async function pruneWell(t: ExecutionContext, scene: Scene, flags: string[]): Promise<CliResult> {
	const result = await prune(scene, flags)
	t.is(result.exitCode, 0, result.stderr + result.stdout)
	return result
}

/** The tags in the haven, of all tables; each receipt has to be true to the byte. */
function kept(t: ExecutionContext, scene: Scene): string[] {
	return [...new Set(trueReceipts(t, scene).map(({ tag }) => tag))].sort()
}

test('what no rule keeps is removed from the haven alone, and what is kept stays whole', async (t) => {
	const scene = await sealed(t, { tables: 2, dataDirectories: 2 })
	t.is(lstatSync(join(mirrored(scene, 'fourth'), 'nb-1-big-Data.db')).nlink, 4)
	const node = fingerprint(scene.node.root)
	const pruned = objectsOf(await pruneWell(t, scene, ['--keep-last', '1', '--keep-tag', 'sec', '--json']))
	t.deepEqual(changesBetween(node, fingerprint(scene.node.root)), [])
	t.deepEqual(kept(t, scene), ['fourth', 'second'])
	t.false(existsSync(mirrored(scene, 'first')))
	const summary = pruned.find(({ type }) => type === 'summary')
	t.is(summary?.['removedSnapshots'], 4)
	// What the kept ones share is not free: only manifest, schema and what was flushed between third and fourth.
	t.true(Number(summary?.['freedBytes']) < Number(summary?.['plannedBytes']))
	t.deepEqual(
		pruned.filter(({ type }) => type === 'tag').map(({ tag, reasons }) => [tag, reasons]),
		[
			['fourth', ['last']],
			['third', []],
			['second', ['tag']],
			['first', []],
		],
	)
})

test('what was pruned and is still on the node is not mirrored again, but that tag taken anew is', async (t) => {
	const scene = await sealed(t)
	await pruneWell(t, scene, ['--keep-last', '1'])
	for (const flags of [[], ['--fullsync']]) await scene.syncWell(flags)
	t.deepEqual(kept(t, scene), ['fourth'])
	clearSnapshot(scene.node, 'second')
	takeSnapshot(scene.node, 'second', { createdAt: '2026-11-20T10:00:00.000Z' })
	await scene.syncWell()
	t.deepEqual(kept(t, scene), ['fourth', 'second'])
	t.deepEqual(notedIn(scene), ['first', 'second', 'third'])
	clearSnapshot(scene.node, 'third')
	await pruneWell(t, scene, ['--keep-last', '1'])
	t.deepEqual(kept(t, scene), ['second'])
	t.deepEqual(notedIn(scene), ['first', 'fourth'])
})

/** The tags of which baseline.json says that they were pruned. */
function notedIn({ haven }: Scene): string[] {
	const { pruned } = JSON.parse(readFileSync(join(haven, '.snaphaven/baseline.json'), 'utf8'))
	return pruned.map(({ tag }: { tag: string }) => tag).sort()
}

test('a dry run tells what would go, and touches nothing', async (t) => {
	const scene = await sealed(t)
	const before = [...fingerprint(scene.haven), ...fingerprint(scene.state)]
	const { stdout } = await pruneWell(t, scene, ['-n', '--keep-last', '2'])
	t.deepEqual(changesBetween(before, [...fingerprint(scene.haven), ...fingerprint(scene.state)]), [])
	t.regex(stdout, /keep +third .* last\n +remove +second .*\n +remove +first/)
	t.regex(stdout, /^would remove 2 tags \(2 snapshots\), at most \S+ kB; would keep 2 tags \(2 snapshots\)$/m)
})

test('only what the command line names is looked at', async (t) => {
	const scene = await sealed(t, { tables: 2 })
	const [, second = ''] = scene.node.folders
	await pruneWell(t, scene, ['--keep-last', '1', '--tag', 'f*', `${scene.node.keyspace}.${second.slice(0, -33)}`])
	const left = trueReceipts(t, scene).map(({ table, tag }) => `${table === second ? 'second' : 'other'} ${tag}`)
	t.deepEqual(left.filter((one) => one.startsWith('second')).sort(), ['second fourth', 'second second', 'second third'])
	t.is(left.filter((one) => one.startsWith('other')).length, 4)
})

test('a receipt that does not hold is told of and left alone', async (t) => {
	const scene = await sealed(t)
	const [table = ''] = scene.node.folders
	const path = join(scene.haven, '.snaphaven/receipts', scene.node.keyspace, table, 'first.json')
	writeFileSync(path, '{}\n')
	const { exitCode, stderr } = await prune(scene, ['--keep-last', '1'])
	t.is(exitCode, 3)
	t.regex(stderr, /^left alone: the receipt .*first\.json does not count/m)
	t.true(existsSync(path) && existsSync(mirrored(scene, 'first')))
	t.false(existsSync(mirrored(scene, 'second')))
})

for (const [what, flags, exitCode, message] of [
	['no rule', [], 2, /^error: what is to be kept\? .*\n {2}For example: --keep-daily 7/m],
	[
		'a count that is none',
		['--keep-daily', 'x'],
		2,
		/^error: --keep-daily expects a number or "unlimited", but .*"x"/m,
	],
	['a time that is none', ['--keep-within', '30'], 2, /^error: --keep-within expects a time such as/m],
	['an expression that is none', ['--keep-tag', '('], 2, /^error: the expression \( is wrong/m],
] as const) {
	test(`${what} is told, and nothing is touched`, async (t) => {
		const scene = await sealed(t)
		const before = fingerprint(scene.haven)
		const result = await prune(scene, [...flags])
		t.is(result.exitCode, exitCode)
		t.regex(result.stderr, message)
		t.deepEqual(changesBetween(before, fingerprint(scene.haven)), [])
	})
}

test('where no haven is, that is told, and none is made', async (t) => {
	const scene = await sealed(t)
	const none = await runCli(['prune', '-s', join(scene.own, 'none'), '--keep-last', '1'], {
		stateDirectory: scene.state,
	})
	t.is(none.exitCode, 1)
	t.regex(none.stderr, /^error: there is no haven at /m)
	t.false(existsSync(join(scene.own, 'none')))
})
