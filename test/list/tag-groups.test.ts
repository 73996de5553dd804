import test from 'ava'
import type { SealedHead } from '../../src/haven/read-heads.ts'
import { groupByTag, tableNames } from '../../src/mirror/tag-groups.ts'

/** Heads by `table tag day`. */
function heads(...lines: string[]): SealedHead[] {
	return lines.map((line, index) => {
		const [table = '', tag = '', day = ''] = line.split(' ')
		const takenAt = `2026-11-${day.padStart(2, '0')}T00:00:00.000Z`
		const names = { format: 1 as const, keyspace: 'shop', table, tag, id: `${index}` }
		const rest = { sealedAt: takenAt, takenAt, snaphaven: '', sstableVersions: [], notes: [] }
		return { ...names, ...rest, state: 'whole', fileCount: 1, byteCount: 1 }
	})
}

function lacking(...lines: string[]): Record<string, string[]> {
	return Object.fromEntries(groupByTag(heads(...lines)).map((group) => [group.tag, group.lacking]))
}

test('a tag lacks the tables that have snapshots before and after it', (t) => {
	t.deepEqual(lacking('a one 1', 'b one 1', 'a two 2', 'a three 3', 'b three 3'), { one: [], two: ['b'], three: [] })
})

test('a table that came later is not lacking before', (t) => {
	t.deepEqual(lacking('a one 1', 'a two 2', 'b two 2'), { one: [], two: [] })
})

test('what the first tag after a table’s last one lacks is told, and no more after that', (t) => {
	t.deepEqual(lacking('a one 1', 'b one 1', 'a two 2', 'a three 3'), { one: [], two: ['b'], three: [] })
})

test('a table that was dropped is lacking nowhere after that', (t) => {
	const lines = ['a one 1', 'b one 1', 'b dropped-1-b 2', 'a two 3']
	t.deepEqual(lacking(...lines), { one: [], 'dropped-1-b': [], two: [] })
})

test('groups go by keyspace and by when they were taken', (t) => {
	const groups = groupByTag([
		...heads('a z 1', 'a y 2'),
		...heads('a x 1').map((one) => ({ ...one, keyspace: 'audit' })),
	])
	t.deepEqual(
		groups.map(({ keyspace, tag }) => [keyspace, tag]),
		[
			['audit', 'x'],
			['shop', 'z'],
			['shop', 'y'],
		],
	)
})

test('a table is named without its id, unless another one has the same name', (t) => {
	const [one, other] = [`t-${'0'.repeat(32)}`, `t-${'1'.repeat(32)}`]
	t.deepEqual([...tableNames([one, one]).values()], ['t'])
	t.deepEqual([...tableNames([one, other]).values()], [one, other])
})
