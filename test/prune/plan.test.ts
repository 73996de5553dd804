import test from 'ava'
import type { SealedHead } from '../../src/haven/read-heads.ts'
import type { KeepRules } from '../../src/prune/keep.ts'
import { planPrune } from '../../src/prune/plan-prune.ts'

const ID = '-0123456789abcdef0123456789abcdef'

function head(tag: string, day: number, more: Partial<SealedHead> = {}): SealedHead {
	const takenAt = new Date(2026, 0, day, 12).toISOString()
	return {
		format: 1,
		keyspace: 'shop',
		table: `orders${ID}`,
		...{ tag, state: 'whole', id: `${tag} ${more.table}`, sealedAt: takenAt, takenAt },
		...{ snaphaven: '', sstableVersions: [], fileCount: 1, byteCount: 1, notes: [] },
		...more,
	}
}

function rules(more: Partial<KeepRules>): KeepRules {
	return {
		...{ last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 },
		withinMs: undefined,
		keepsTag: () => false,
		...more,
	}
}

/** `group: tag table, …` of what goes. */
function removedOf(heads: SealedHead[], kept: Partial<KeepRules>, allowEmpty = false): string[] {
	return planPrune(heads, rules(kept), allowEmpty).flatMap(({ name, tags }) =>
		tags.flatMap(({ removed }) => removed.map(({ tag, table }) => `${name}: ${tag} ${table.replace(ID, '')}`)),
	)
}

test('a tag stays or goes with all tables of its keyspace; keyspaces are apart', (t) => {
	const heads = [1, 2, 3].flatMap((day) => [
		head(`day-${day}`, day),
		head(`day-${day}`, day, { table: `items${ID}` }),
		head(`day-${day}`, day + 10, { keyspace: 'other' }),
	])
	t.deepEqual(removedOf(heads, { last: 2 }), ['other: day-1 orders', 'shop: day-1 orders', 'shop: day-1 items'])
})

test('a tag is as young as its youngest snapshot', (t) => {
	const heads = [head('daily', 1), head('daily', 9, { table: `items${ID}` }), head('b', 5), head('c', 6)]
	t.deepEqual(removedOf(heads, { last: 2 }), ['shop: b orders'])
})

test('the newest snapshot of a table that is whole stays, unless all may go', (t) => {
	const heads = [
		head('old', 1, { table: `gone${ID}` }),
		head('older', 0, { table: `gone${ID}` }),
		head('new', 5),
		head('mid', 4),
	]
	t.deepEqual(removedOf(heads, { last: 1 }), ['shop: mid orders', 'shop: older gone'])
	t.deepEqual(removedOf(heads, { last: 1 }, true), ['shop: mid orders', 'shop: old gone', 'shop: older gone'])
	const spoiled = [head('new', 5, { state: 'damaged' }), head('mid', 4), head('older', 3)]
	t.deepEqual(removedOf(spoiled, { last: 1 }), ['shop: older orders'])
	const unproven = [head('new', 5, { state: 'unproven' }), head('mid', 4, { state: 'unproven' })]
	t.deepEqual(removedOf(unproven, { last: 1 }), ['shop: mid orders'])
	t.deepEqual(removedOf(unproven, { keepsTag: (tag) => tag === 'mid' }), ['shop: new orders'])
	t.deepEqual(removedOf(unproven, { keepsTag: () => false }), ['shop: mid orders'])
})

test('what Cassandra kept before a truncate or a drop is a group of its table', (t) => {
	const heads = [
		head('daily-1', 1),
		head('daily-2', 2),
		...[3, 4, 5].map((day) => head(`truncated-17952619122${day}-orders`, day)),
		head('dropped-1795261912298-items', 6, { table: `items${ID}` }),
	]
	t.deepEqual(removedOf(heads, { last: 2 }), ['shop.orders: truncated-179526191223-orders orders'])
})
