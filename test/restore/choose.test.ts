import test from 'ava'
import { type Candidate, chooseSnapshots, type When } from '../../src/restore/choose.ts'

const ID = 'a5516ae0e58a11f1ba758140cf8cdd6e'
const OTHER_ID = 'aa6e29f0e58a11f1ba758140cf8cdd6e'

/** `orders daily 3`: a snapshot of shop.orders of that tag, taken at the third minute. */
function parse(text: string): Candidate {
	const [name = '', tag = '', minute = '0'] = text.split(' ')
	const table = name.includes('#') ? name.replace('#', `-${OTHER_ID}`) : `${name}-${ID}`
	return { keyspace: 'shop', table, tag, takenAt: new Date(Number(minute) * 60_000).toISOString(), state: 'whole' }
}

function say({ table, tag }: Candidate): string {
	return `${table.replace(`-${ID}`, '').replace(`-${OTHER_ID}`, '#')} ${tag}`
}

function choose(snapshots: string[], when: When, named: string[] = []) {
	const choice = chooseSnapshots(snapshots.map(parse), when, (_, name) => named.includes(name))
	return {
		chosen: choice.chosen.map(say).sort(),
		lacking: choice.lacking.map(({ name, newest }) => `${name}: ${say(newest)}`),
		passedBy: choice.passedBy.map(({ newer }) => say(newer)),
		otherIds: choice.otherIds.map(({ other }) => say(other)),
	}
}

const at = (minute: number) => ({ at: minute * 60_000 })

test('of a tag, each table’s snapshot is chosen, and a table that was there and lacks it is told', (t) => {
	const snapshots = ['orders a 1', 'carts a 1', 'orders b 2', 'orders c 3', 'carts c 3', 'gone a 1', 'new c 3']
	t.like(choose(snapshots, { tag: 'b' }), { chosen: ['orders b'], lacking: ['carts: carts a'] })
	t.like(choose(snapshots, { tag: 'c' }), { chosen: ['carts c', 'new c', 'orders c'], lacking: [] })
	t.like(choose(snapshots, { tag: 'none' }), { chosen: [], lacking: [] })
})

test('of a table that was made again, the newer one is chosen of a tag that both have', (t) => {
	t.like(choose(['events a 1', 'events# a 5'], { tag: 'a' }), { chosen: ['events# a'], otherIds: ['events a'] })
})

test('a keyspace gets the newest tag that all its tables have, and a newer one of a single table is told', (t) => {
	const snapshots = ['orders night 1', 'carts night 1', 'orders fix 2', 'orders late 9', 'carts late 9']
	t.deepEqual(choose(snapshots, at(3)), {
		chosen: ['carts night', 'orders night'],
		lacking: [],
		passedBy: ['orders fix'],
		otherIds: [],
	})
})

test('a table that is named gets its newest snapshot', (t) => {
	const snapshots = ['orders night 1', 'carts night 1', 'orders fix 2', 'orders late 9', 'carts late 9']
	t.deepEqual(choose(snapshots, at(3), ['orders']).chosen, ['carts night', 'orders fix'])
})

test('nothing that was taken later is chosen, also not of a tag of which a part was', (t) => {
	t.deepEqual(choose(['orders a 1', 'carts a 1', 'orders b 4', 'carts b 6'], at(5)).chosen, ['carts a', 'orders a'])
	t.deepEqual(choose(['orders a 6'], at(5)).chosen, [])
})

test('a table made since the common tag comes along, one that was dropped before it does not', (t) => {
	const snapshots = ['old a 1', 'orders a 1', 'carts a 1', 'orders b 2', 'carts b 2', 'new only 3']
	t.deepEqual(choose(snapshots, at(4)).chosen, ['carts b', 'new only', 'orders b'])
	t.deepEqual(choose(snapshots, at(4), ['old']).chosen, ['carts b', 'new only', 'old a', 'orders b'])
	const dropped = ['old a 1', 'orders a 1', 'old dropped-1795251912298-old 2', 'orders b 3']
	t.deepEqual(choose(dropped, at(4)).chosen, ['orders b'])
})

test('the newest tag of a few tables alone is no keyspace’s tag, though none has a later one', (t) => {
	const snapshots = ['orders night 1', 'carts night 1', 'visits night 1', 'orders fix 2']
	t.deepEqual(choose(snapshots, at(3)).chosen, ['carts night', 'orders night', 'visits night'])
})

test('what Cassandra takes by itself before a truncation is no keyspace’s tag', (t) => {
	const snapshots = ['orders a 1', 'orders truncated-1795251912298-orders 2']
	t.deepEqual(choose(snapshots, at(3)).chosen, ['orders a'])
	t.deepEqual(choose(snapshots, at(3), ['orders']).chosen, ['orders truncated-1795251912298-orders'])
})
