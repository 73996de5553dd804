import test from 'ava'
import { hasNoImport, movesToLive } from '../../src/restore/put-and-refresh.ts'

test('only a release before 4.0 has no nodetool import', (t) => {
	t.true(hasNoImport('ReleaseVersion: 3.11.19'))
	t.true(hasNoImport('a warning of Java’s\nReleaseVersion: 2.2.19\n'))
	for (const other of ['ReleaseVersion: 4.0.0', 'ReleaseVersion: 5.0.8', 'ReleaseVersion: 10.0.1', 'nothing']) {
		t.false(hasNoImport(other))
	}
})

test('what is put into a live folder has numbers that the node does not come to by itself, and Data.db last', (t) => {
	const staged = ['me-7-big-Data.db', 'me-7-big-TOC.txt', 'me-9-big-Data.db', 'me-9-big-Index.db', 'manifest.json']
	const live = ['me-7-big-Data.db', 'me-12-big-Data.db', 'me_txn_flush_5.log', 'backups']
	const moves = movesToLive(staged, live)
	const ids = new Map(moves.map(({ from, to }) => [from.split('-')[1], Number(to.split('-')[1])]))
	t.deepEqual([...ids.keys()].sort(), ['7', '9'])
	t.is(new Set(ids.values()).size, 2)
	for (const id of ids.values()) t.true(id > 100_000 && id < 2 ** 30)
	for (const { from, to } of moves) t.is(to, from.replace(/-\d+-/, `-${ids.get(from.split('-')[1])}-`))
	t.deepEqual(moves.map(({ from }) => from).toSorted(), staged.filter((name) => name.startsWith('me-')).toSorted())
	for (const [at, { from }] of moves.entries()) {
		const later = moves.slice(at + 1).map((move) => move.from.split('-')[1])
		t.is(from.endsWith('-Data.db'), !later.includes(from.split('-')[1]))
	}
})
