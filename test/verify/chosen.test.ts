import { rmSync, truncateSync, utimesSync } from 'node:fs'
import { basename, join } from 'node:path'
import test from 'ava'
import { makeScene, objectsOf } from '../mirror/support/scene.ts'
import { takeSnapshot } from '../support/tree.ts'
import { damagesOf, flipBit, verify } from './support.ts'

test.serial('--quick finds what has another size or time, and reads only what has another time', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [one = '', two = ''] = scene.node.folders.map((table) => join(scene.haven, 'data/ks', table, 'snapshots/daily'))
	t.like(objectsOf(await verify(scene, ['--json', '--quick'])).at(-1), { exitCode: 0, files: 0, snapshots: 2 })
	flipBit(join(one, 'nb-1-big-Data.db'))
	t.is((await verify(scene, ['--quick'])).exitCode, 0)
	utimesSync(join(one, 'nb-1-big-Data.db'), 1, 1)
	utimesSync(join(one, 'nb-1-big-Index.db'), 1, 1)
	truncateSync(join(two, 'nb-2-big-Data.db'), 5)
	const result = await verify(scene, ['--json', '--quick'])
	t.deepEqual(
		damagesOf(result).map(([path, kind]) => [basename(path), kind]),
		[
			['nb-1-big-Data.db', 'other bytes'],
			['nb-2-big-Data.db', 'other size'],
		],
	)
	t.is(objectsOf(result).at(-1)?.['files'], 2)
})

test.serial(
	'what was verified is remembered: --since-last leaves it out, --sample takes what was not verified for longest',
	async (t) => {
		const scene = makeScene(t, { tables: 2 })
		takeSnapshot(scene.node, 'daily')
		await scene.syncWell()
		const counts = async (...flags: string[]) => {
			const { snapshots, notChosen } = objectsOf(await verify(scene, ['--json', ...flags])).at(-1) ?? {}
			return [snapshots, notChosen]
		}
		t.deepEqual(await counts('--quick'), [2, 0])
		t.deepEqual(await counts('--sample', '5%'), [1, 1])
		t.deepEqual(await counts('--quick', '--since-last', '1d'), [1, 1])
		t.deepEqual(await counts('--sample', '5%'), [1, 1])
		t.deepEqual(await counts('--since-last', '1d'), [0, 2])
		t.deepEqual(await counts('--quick', '--since-last', '0ms'), [2, 0])
		flipBit(join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily/nb-1-big-Data.db'))
		rmSync(join(scene.haven, '.snaphaven/verified.json'))
		t.deepEqual(await counts(), [2, 0])
		t.deepEqual(await counts('--quick', '--since-last', '1d'), [1, 1])
	},
)

test.serial('wrong usage is refused by name', async (t) => {
	const scene = makeScene(t)
	for (const [words, message] of [
		[['--sample', '5'], /--sample expects a part such as 5%/],
		[['--sample', '0%'], /--sample expects a part such as 5%/],
		[['--since-last', 'monday'], /--since-last expects a time/],
		[['a.b.c'], /"a\.b\.c" names no keyspace or table/],
	] as const) {
		const result = await verify(scene, [...words])
		t.is(result.exitCode, 2, words.join(' '))
		t.regex(result.stderr, message)
	}
})
