import test from 'ava'
import fc from 'fast-check'
import { readLog } from '../../src/cassandra/transaction-log.ts'
import { isLogName } from '../../src/cassandra/transaction-record.ts'
import { isCommitted } from './support/cassandra-start.ts'
import { mishap } from './support/log-mishaps.ts'
import { lineOf, type MadeRecord, textOf } from './support/transaction-logs.ts'

const FOLDER = '/var/lib/cassandra/data/shop/orders-00000000000000000000000000000001'
const add = (id: number): MadeRecord => ({ type: 'ADD', path: `${FOLDER}/da-${id}-bti-`, files: 8 })
const remove = (id: number): MadeRecord => ({
	type: 'REMOVE',
	path: `${FOLDER}/da-${id}-bti-`,
	time: 1_795_240_454_120 + id,
	files: 8,
})
const commit: MadeRecord = { type: 'COMMIT' }
const abort: MadeRecord = { type: 'ABORT' }
const compaction = [add(3), remove(1), remove(2), commit]

test('the names of logs of all versions are known, and no other name is', (t) => {
	const uuid = 'a5c2f160-e58a-11f1-ba75-8140cf8cdd6e'
	for (const name of [`ma_txn_flush_${uuid}.log`, `nb_txn_compaction_${uuid}.log`, `bti-da_txn_stream_${uuid}.log`])
		t.true(isLogName(name), name)
	for (const name of ['nb-1-big-Data.db', 'manifest.json', `nb_txn_flush_${uuid}.log.tmp`, `flush_${uuid}.log`, ''])
		t.false(isLogName(name), name)
})

test('a whole log says what it adds and removes, and how it ended', (t) => {
	const states = [[], [add(3)], [add(3), remove(1)], compaction, [add(3), abort]].map((records) => {
		const { state, problem } = readLog([textOf(records)])
		return [state, problem]
	})
	const whole = ['empty', 'running', 'running', 'committed', 'aborted'].map((state) => [state, undefined])
	t.deepEqual(states, whole)
	const { records, isTorn, mayNameMore } = readLog([textOf(compaction), textOf(compaction)])
	t.deepEqual(
		records.map(({ type, prefix, files }) => `${type} ${prefix} ${files}`),
		[`ADD ${FOLDER}/da-3-bti- 8`, `REMOVE ${FOLDER}/da-1-bti- 8`, `REMOVE ${FOLDER}/da-2-bti- 8`],
	)
	t.is(records[1]?.updateTime, 1_795_240_454_121n)
	t.deepEqual([isTorn, mayNameMore], [false, false])
})

test('the checksum is Cassandra’s own', (t) => {
	t.is(readLog(['ADD:[/d/ks/t-1/da-1-bti-,0,8][1]\nCOMMIT:[,0,0][2613697770]\n']).state, 'damaged')
	t.is(readLog(['COMMIT:[,0,0][2613697770]\n']).state, 'committed')
	t.is(readLog(['COMMIT:[,0,0][2613697771]\n']).state, 'running')
})

test('a path that 3.x wrote without the last dash names the same files', (t) => {
	const line = lineOf({ type: 'ADD', path: `${FOLDER}/ma-1-big`, files: 8 })
	t.is(readLog([line]).records[0]?.prefix, `${FOLDER}/ma-1-big-`)
})

test('a log that ends earlier than the other replica says nothing else than that one', (t) => {
	for (let count = 0; count <= compaction.length; count++) {
		const replicas = [textOf(compaction), textOf(compaction.slice(0, count))]
		for (const texts of [replicas, replicas.reverse()]) t.like(readLog(texts), { state: 'committed', isTorn: false })
	}
})

test('a replica that can’t be read leaves nothing certain', (t) => {
	const log = readLog([textOf(compaction), { problem: 'it can’t be read (EIO)' }])
	t.like(log, { state: 'damaged', mayNameMore: true, problem: 'it can’t be read (EIO)' })
})

test('cut off at any byte, it is never committed or aborted but whole, and what is left of it is a true beginning', (t) => {
	for (const records of [compaction, [add(3), add(4), abort], [add(1)]]) {
		const text = textOf(records)
		const whole = readLog([text])
		for (let length = 0; length < text.length; length++) {
			const cut = readLog([text.slice(0, length)])
			// Only the end of the last line may be missing.
			if (length < text.length - 1) t.true(cut.state === 'running' || cut.state === 'empty', `${length}`)
			else t.is(cut.state, whole.state)
			t.deepEqual(cut.records, whole.records.slice(0, cut.records.length))
			const isWhole = text[length - 1] === '\n' || text[length] === '\n' || length === 0
			t.is(cut.isTorn, !isWhole, `${length}`)
			t.deepEqual(readLog([text, text.slice(0, length)]).records, whole.records)
		}
	}
})

test('a torn last line that begins as the end of a log names no SSTable; another may', (t) => {
	const text = (last: string) => readLog([`${textOf([add(3)])}${last}`]).mayNameMore
	for (const last of ['C', 'COMMIT:[,0', 'COMMIT:[,0,0][26136', 'ABORT:[']) t.false(text(last), last)
	for (const last of ['A', 'ABORT:[,0,0][1]', 'ADD:[/var', 'COMMIT:[,0,0][1x', '\0\0\0', '#'])
		t.is(text(last), last !== 'A', last)
})

test('of two replicas that differ in a line before the last, nothing is certain', (t) => {
	const other = textOf([add(3), remove(1), remove(4), commit])
	for (const texts of [
		[textOf(compaction), other],
		[other, textOf(compaction)],
	]) {
		t.like(readLog(texts), { state: 'damaged', mayNameMore: true, problem: 'its replicas differ in line 3' })
	}
})

const records = fc
	.tuple(
		fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
		fc.uniqueArray(fc.integer({ min: 13, max: 16 }), { maxLength: 3 }),
		fc.constantFrom([], [commit], [abort]),
	)
	.map(([old, added, end]) => [...added.map(add), ...old.map(remove), ...end])

test('truncated, swapped, changed, repeated, differing: it is committed, or can’t be known, just where Cassandra says so', (t) => {
	let damaged = 0
	let committed = 0
	fc.assert(
		fc.property(records, fc.array(mishap, { minLength: 1, maxLength: 3 }), (made, mishaps) => {
			const texts = mishaps.map((befall) => befall(textOf(made)))
			const { state } = readLog(texts)
			t.is(state === 'damaged' ? undefined : state === 'committed', isCommitted(texts), JSON.stringify(texts))
			if (state === 'damaged') damaged++
			if (state === 'committed') committed++
		}),
		{ numRuns: 3000 },
	)
	t.true(damaged > 100 && committed > 100, `${damaged} damaged, ${committed} committed`)
})
