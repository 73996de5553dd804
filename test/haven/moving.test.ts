import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { runSync } from '../../src/files/io.ts'
import { receiptPath } from '../../src/haven/layout.ts'
import { draftMark, putMark } from '../../src/haven/moving.ts'
import { markMoving, type Receipt, readReceipt, readReceiptHead, writeReceipt } from '../../src/haven/receipt.ts'
import { key, makeHaven, newer, older, partial, receiptFor, seal, visible } from './support/havens.ts'

const mark = { number: 3, key, receiptId: 'id' }

test('a receipt that is marked says all that it said, and that it is being moved', (t) => {
	const odd = receiptFor({ ...older, 'a\udcff"\n': 'é' }, { notes: ['"files":[', '}'] })
	const marked = markMoving(Buffer.from(writeReceipt(odd)))
	t.is(marked?.id, 'id')
	const bytes = Buffer.from(marked?.text ?? '')
	const { checksum: _, ...said } = readReceipt(bytes) as Receipt & { checksum: string }
	t.deepEqual(said, { ...odd, moving: true })
	t.is(readReceiptHead(bytes)?.moving, true)
	t.is(markMoving(bytes)?.text, marked?.text)
	t.is(markMoving(Buffer.from(writeReceipt(odd).slice(1))), undefined)
})

test('the mark replaces the receipt whole, by one rename', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	const before = readFileSync(join(base, receiptPath(key)))
	t.true(runSync(draftMark(base, partial, mark, true)))
	t.deepEqual(readFileSync(join(base, receiptPath(key))), before)
	runSync(putMark(base, partial, mark))
	t.like(visible(base).receipt, { moving: true, id: 'id' })
	t.deepEqual(visible(base).receipt?.files, receiptFor(older).files)
})

test('another seal’s receipt, or none, is not marked', (t) => {
	const base = makeHaven(t)
	t.false(runSync(draftMark(base, partial, mark, false)))
	seal(base, newer)
	t.false(runSync(draftMark(base, partial, { ...mark, receiptId: 'earlier' }, false)))
	t.is(visible(base).receipt?.moving, undefined)
})
