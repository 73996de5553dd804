import {
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Io, runSync } from '../../src/files/io.ts'
import { PARTIAL, receiptPath, type SnapshotKey, snapshotFolder } from '../../src/haven/layout.ts'
import { writeReceipt } from '../../src/haven/receipt.ts'
import { draftRepair, putRepaired, type Repair } from '../../src/haven/repair.ts'
import { key, makeHaven, newer, older, partial, receiptFor, seal, visible } from './support/havens.ts'
import { drive } from './support/steps.ts'

const other: SnapshotKey = { ...key, tag: 'other' }
const DATA = 'nb-1-big-Data.db'
const ROTTEN = 'OLDER DATA'
const repair: Repair = { number: 7, targets: [key, other].map((one) => ({ key: one, path: DATA })) }

/** Two snapshots that share a rotten file, and a good copy of it beside. */
function damaged(t: ExecutionContext): { base: string; good: string; places: string[] } {
	const base = makeHaven(t)
	seal(base, older)
	const places = [key, other].map((one) => join(base, snapshotFolder(one), DATA))
	const [place = '', second = ''] = places
	const good = join(base, 'good')
	writeFileSync(good, readFileSync(place))
	writeFileSync(place, ROTTEN)
	mkdirSync(join(base, snapshotFolder(other)), { recursive: true })
	linkSync(place, second)
	writeFileSync(join(base, receiptPath(other)), writeReceipt(receiptFor(older, other)))
	return { base, good, places }
}

function* repaired(base: string, good: string, what = repair): Io<string | undefined> {
	const proven = yield* draftRepair(base, partial, what, good)
	return typeof proven === 'string' ? proven : yield* putRepaired(base, partial, what, proven)
}

const text = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : 'nothing')
const good = older[DATA] ?? ''

test('a repair that is stopped at any call leaves each name with the old file or the good one, and the next one ends it', (t) => {
	for (let calls = 0; ; calls++) {
		const { base, good: copy, places } = damaged(t)
		const ran = drive(repaired(base, copy)).run(calls)
		if ('failed' in ran) throw ran.failed
		for (const place of places) t.true([ROTTEN, good].includes(text(place)), `${calls} calls: ${text(place)}`)
		t.is(runSync(repaired(base, copy)), undefined)
		t.deepEqual(places.map(text), [good, good], `${calls} calls`)
		t.is(new Set(places.map((place) => statSync(place).ino)).size, 1)
		t.deepEqual(readdirSync(join(base, partial)), [])
		if (ran.done) return void t.true(calls >= 12, `only ${calls} calls`)
	}
})

test('a paused holder that wakes after another took over puts nothing in place any more', (t) => {
	for (let calls = 0; ; calls++) {
		const { base, good: copy, places } = damaged(t)
		const paused = drive(repaired(base, copy))
		const ran = paused.run(calls)
		if (!('done' in ran)) throw ran.failed
		renameSync(join(base, partial), join(base, `${PARTIAL}/other.inherited-0`))
		rmSync(join(base, snapshotFolder(key)), { recursive: true })
		seal(base, newer)
		const before = places.map(text)
		paused.run()
		t.deepEqual(places.map(text), before, `${calls} calls, and the rest after the pause`)
		t.deepEqual(visible(base).copy, newer)
		if (ran.done) return
	}
})

test('a file whose snapshot was sealed anew meanwhile is left as it is', (t) => {
	const { base, good: copy, places } = damaged(t)
	const proven = runSync(draftRepair(base, partial, repair, copy))
	t.deepEqual(proven, { size: good.length, crc32: receiptFor(older).files[0]?.crc32 })
	if (typeof proven === 'string') return
	rmSync(join(base, snapshotFolder(key)), { recursive: true })
	seal(base, { ...older, [DATA]: 'other data' })
	t.regex(runSync(putRepaired(base, partial, repair, proven)) ?? '', /sealed anew/)
	t.deepEqual(places.map(text), ['other data', ROTTEN])
	t.deepEqual(visible(base).copy?.[DATA], 'other data')
	t.deepEqual(readdirSync(join(base, partial)), [])
})

test('what is no good copy any more replaces nothing', (t) => {
	const { base, good: copy, places } = damaged(t)
	writeFileSync(copy, 'worse data')
	t.regex(runSync(repaired(base, copy)) ?? '', /is no good copy any more/)
	t.deepEqual(places.map(text), [ROTTEN, ROTTEN])
	t.deepEqual(readdirSync(join(base, partial)), [])
})
