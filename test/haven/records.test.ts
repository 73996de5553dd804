import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { runSync } from '../../src/files/io.ts'
import { receiptPath, receiptsFolder } from '../../src/haven/layout.ts'
import { findLiveIntents } from '../../src/haven/live-turn.ts'
import { type Receipt, type ReceiptFile, readReceipt, readReceiptHead, writeReceipt } from '../../src/haven/receipt.ts'
import { listReceipts, readSnapshotReceipt } from '../../src/haven/receipts.ts'
import { checkedText, checksumOf, withChecksum } from '../../src/haven/sealed-text.ts'
import { key, makeHaven, newer, older, partial, receiptFor } from './support/havens.ts'

test('a record reads back, and is one JSON object', (t) => {
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.json(), { minKeys: 1 }), (content) => {
			const text = withChecksum(JSON.stringify(content))
			const read = checkedText(Buffer.from(text))
			const { checksum, ...rest } = JSON.parse(read ?? '{}')
			return read === text && checksum === checksumOf(text) && ('checksum' in content || sameJson(rest, content))
		}),
	)
	t.pass()
})

function sameJson(one: unknown, other: unknown): boolean {
	return JSON.stringify(one) === JSON.stringify(JSON.parse(JSON.stringify(other)))
}

const record = Buffer.from(writeReceipt(receiptFor(older)))

test('a record that was cut anywhere is not believed', (t) => {
	for (let length = 0; length < record.length; length++) {
		t.is(checkedText(record.subarray(0, length)), undefined, `after ${length} bytes`)
	}
})

test('a record of which any one bit is another is not believed', (t) => {
	for (let bit = 0; bit < record.length * 8; bit++) {
		const changed = Buffer.from(record)
		changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
		if (checkedText(changed) !== undefined) return t.fail(`bit ${bit} of ${record.length} bytes`)
	}
	t.pass()
})

test('a record with anything behind it is not believed', (t) => {
	t.is(checkedText(Buffer.concat([record, Buffer.from('\n')])), undefined)
	t.is(checkedText(Buffer.concat([record, record])), undefined)
})

function isInside(path: string): boolean {
	return path.split('/').every((name) => name !== '' && name !== '.' && name !== '..') && !path.includes('/')
}

const files = fc.array(
	fc.record<ReceiptFile>({
		path: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('a\n"b', 'x\udcff')).filter(isInside),
		size: fc.nat(),
		mtimeNs: fc.bigInt({ min: 0n, max: 2n ** 63n }).map(String),
		mode: fc.nat(0o7777),
		uid: fc.nat(),
		gid: fc.nat(),
		ino: fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
		crc32: fc.constant('0123abcd'),
		readAt: fc.constant('2026-11-21T08:00:00.000Z'),
		how: fc.constantFrom('copied', 'reused'),
	}),
)

test('a receipt reads back, and its head alone too', (t) => {
	fc.assert(
		fc.property(files, fc.string({ unit: 'grapheme' }).filter(isInside), (some, tag) => {
			const receipt: Receipt = {
				...receiptFor({}),
				tag,
				files: some,
				folders: [{ path: '.i', mode: 1, uid: 2, gid: 3 }],
			}
			const bytes = Buffer.from(writeReceipt(receipt))
			const read = readReceipt(bytes)
			const head = readReceiptHead(bytes)
			return (
				sameJson({ ...receipt, checksum: checksumOf(bytes.toString()) }, read) &&
				head?.tag === tag &&
				!('files' in head)
			)
		}),
	)
	t.pass()
})

test('a table’s receipts are read by their heads, and one that does not hold is named', (t) => {
	const base = makeHaven(t)
	const other = { ...key, tag: 'weekly' }
	writeFileSync(join(base, receiptPath(key)), writeReceipt(receiptFor(newer)))
	writeFileSync(join(base, receiptPath(other)), writeReceipt(receiptFor(older, other)).replace('whole', 'whale'))
	writeFileSync(join(base, receiptsFolder(key), 'note.txt'), 'somebody’s')
	const receipts = runSync(listReceipts(base, key))
	t.is(runSync(receipts.head(key.tag))?.tag, key.tag)
	t.is(runSync(receipts.head('none')), undefined)
	t.deepEqual(receipts.bad, [])
	t.deepEqual(
		runSync(receipts.all()).map(({ tag }) => tag),
		[key.tag],
	)
	t.deepEqual(receipts.bad, [{ path: receiptPath(other), reason: 'its checksum does not hold' }])
	t.is(runSync(readSnapshotReceipt(base, key))?.byteCount, 24)
	t.is(runSync(readSnapshotReceipt(base, other)), undefined)
	t.is(runSync(readSnapshotReceipt(base, { ...key, tag: 'none' })), undefined)
	t.deepEqual(runSync(runSync(listReceipts(base, { ...key, table: 'none' })).all()), [])
})

const outside = ['../x', '/etc/passwd', '', '.', 'a//b', 'a/../../x', 'a\0b']
const lies: [what: string, change: (receipt: Receipt) => object][] = [
	...outside.map((path): [string, () => object] => [
		`a file at ${JSON.stringify(path)}`,
		() => ({ files: [{ ...fileOf(), path }] }),
	]),
	...outside
		.slice(0, 4)
		.map((path): [string, () => object] => [
			`a folder at ${path}`,
			() => ({ folders: [{ path, mode: 1, uid: 2, gid: 3 }] }),
		]),
	...['..', 'a/b', 'backups/../../x', 'backups/apart/..'].map((tag): [string, () => object] => [
		`the tag ${tag}`,
		() => ({ tag }),
	]),
	['a keyspace that is a path', () => ({ keyspace: '../ks' })],
	['a table that is a path', () => ({ table: '..' })],
	['a size that is a text', () => ({ files: [{ ...fileOf(), size: '1' }] })],
	['a time that is none', () => ({ takenAt: 'yesterday' })],
	['files that are no array', () => ({ files: { length: 1 } })],
	['no source', () => ({ source: undefined })],
]

for (const [what, change] of lies) {
	test(`a receipt with ${what} is none, whatever its checksum`, (t) => {
		const receipt = receiptFor(older)
		const bytes = Buffer.from(withChecksum(JSON.stringify({ ...receipt, ...change(receipt) })))
		t.not(checkedText(bytes), undefined)
		t.is(readReceipt(bytes), undefined)
	})
}

function fileOf(): ReceiptFile {
	return receiptFor(older).files[0] as ReceiptFile
}

const turn = {
	number: 1,
	key: { ...key, tag: '' },
	receiptChecksum: '01234567',
	folders: [],
	add: [],
	replace: [],
	clear: [],
	remove: ['a'],
}

for (const change of [
	{ remove: ['../../../etc/passwd'] },
	{ number: '../1' },
	{ keepIn: '../x' },
	{ keepIn: 'data/ks' },
	{ keepIn: '.snaphaven/deleted/../../x' },
	{ key: { ...key, table: '../..' } },
]) {
	test(`an intent with ${JSON.stringify(change)} means nothing, whatever its checksum`, (t) => {
		const base = makeHaven(t)
		writeFileSync(join(base, partial, 'live-1.json'), withChecksum(JSON.stringify({ format: 1, turns: [turn] })))
		t.is(runSync(findLiveIntents(base, partial)).length, 1)
		writeFileSync(
			join(base, partial, 'live-1.json'),
			withChecksum(JSON.stringify({ format: 1, turns: [{ ...turn, ...change }] })),
		)
		t.is(runSync(findLiveIntents(base, partial)).length, 0)
	})
}

test('an empty receipts folder is none', (t) => {
	const base = makeHaven(t)
	mkdirSync(join(base, receiptsFolder({ keyspace: 'ks', table: 'empty' })), { recursive: true })
	const receipts = runSync(listReceipts(base, { keyspace: 'ks', table: 'empty' }))
	t.deepEqual([runSync(receipts.all()), receipts.bad], [[], []])
})
