import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runSync } from '../../src/files/io.ts'
import { PARTIAL, receiptPath, removing, type SnapshotKey, snapshotFolder } from '../../src/haven/layout.ts'
import { clearRemoved, findRemovals, type Removal, takeOut, writeRemovals } from '../../src/haven/remove.ts'
import { key, makeHaven, newer, older, partial, read, seal, visible, write } from './support/havens.ts'
import { drive } from './support/steps.ts'

/** What support/havens.ts gives each receipt. */
const removal: Removal = { number: 7, key, receiptId: 'id' }
const other: SnapshotKey = { ...key, tag: 'other' }

function taken(base: string): { folder: boolean; receipt: boolean } {
	return {
		folder: existsSync(join(base, removing.folder(partial, 7))),
		receipt: existsSync(join(base, removing.receipt(partial, 7))),
	}
}

function isGone(t: ExecutionContext, base: string, when: string): void {
	t.deepEqual(visible(base), { copy: undefined, receipt: undefined }, when)
}

/** Does the test for a stop after each call of a removal, the last time after all of them. */
function afterEachCall(t: ExecutionContext, body: (base: string, calls: number) => void): void {
	for (let calls = 0; ; calls++) {
		const base = makeHaven(t)
		seal(base, older)
		const ran = drive(takeOut(base, partial, removal)).run(calls)
		if ('failed' in ran) throw ran.failed
		body(base, calls)
		if (ran.done) return void t.true(calls >= 6, `only ${calls} calls`)
	}
}

test('a removal that was stopped at any call is finished by the recovery, also by a second one', (t) => {
	afterEachCall(t, (base, calls) => {
		for (const turn of ['once', 'twice']) {
			t.truthy(runSync(takeOut(base, partial, removal)))
			isGone(t, base, `${calls} calls, recovered ${turn}`)
			t.deepEqual(taken(base), { folder: true, receipt: true })
		}
	})
})

test('a recovery of a removal that is itself stopped at any call is finished by the next one', (t) => {
	afterEachCall(t, (_, calls) => {
		for (let more = 0; ; more++) {
			const base = makeHaven(t)
			seal(base, older)
			drive(takeOut(base, partial, removal)).run(calls)
			const ran = drive(takeOut(base, partial, removal)).run(more)
			t.truthy(runSync(takeOut(base, partial, removal)))
			isGone(t, base, `${calls} calls, then ${more} of the recovery`)
			if (!('done' in ran) || ran.done) return
		}
	})
})

test('a receipt never stands without its folder, wherever a removal is stopped', (t) => {
	afterEachCall(t, (base, calls) => {
		const { copy, receipt } = visible(base)
		if (receipt) t.deepEqual(copy, older, `${calls} calls`)
	})
})

test('a power cut that kept the folder’s rename and not the receipt’s is recovered from', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	renameSync(join(base, snapshotFolder(key)), join(base, removing.folder(partial, 7)))
	t.truthy(runSync(takeOut(base, partial, removal)))
	isGone(t, base, 'recovered')
	t.deepEqual(taken(base), { folder: true, receipt: true })
})

test('a paused holder that wakes after another took over and sealed the tag anew removes nothing', (t) => {
	for (let calls = 0; ; calls++) {
		const base = makeHaven(t)
		seal(base, older)
		const paused = drive(takeOut(base, partial, removal))
		const ran = paused.run(calls)
		if (!('done' in ran)) throw ran.failed
		const inherited = `${PARTIAL}/other.inherited-0`
		renameSync(join(base, partial), join(base, inherited))
		t.truthy(runSync(takeOut(base, inherited, removal)))
		isGone(t, base, `${calls} calls`)
		seal(base, newer)
		paused.run()
		t.deepEqual(visible(base).copy, newer, `${calls} calls, and the rest after the pause`)
		t.deepEqual(visible(base).receipt?.files.length, 2, `${calls} calls, and the rest after the pause`)
		if (ran.done) return
	}
})

test('another seal of the tag is not removed', (t) => {
	const base = makeHaven(t)
	seal(base, newer)
	t.is(runSync(takeOut(base, partial, { ...removal, receiptId: 'earlier' })), undefined)
	t.deepEqual(visible(base).copy, newer)
	t.truthy(visible(base).receipt)
	t.deepEqual(taken(base), { folder: false, receipt: false })
})

test('another seal of the tag, made after a removal that was never finished, is not removed by the recovery', (t) => {
	afterEachCall(t, (base, calls) => {
		runSync(takeOut(base, partial, removal))
		seal(base, newer, { id: 'later' })
		runSync(takeOut(base, partial, removal))
		t.deepEqual(visible(base).copy, newer, `${calls} calls`)
		t.is(visible(base).receipt?.id, 'later', `${calls} calls`)
	})
})

test('another seal of the tag, made after a removal whose files are deleted in part, is not removed', (t) => {
	for (let calls = 0; ; calls++) {
		const base = makeHaven(t)
		seal(base, older)
		runSync(takeOut(base, partial, removal))
		const ran = drive(clearRemoved(base, partial, removal)).run(calls)
		seal(base, newer, { id: 'later' })
		runSync(takeOut(base, partial, removal))
		t.deepEqual(visible(base).copy, newer, `${calls} calls`)
		if (!('done' in ran) || ran.done) return
	}
})

test('another seal of the tag stays where of what was taken out only the receipt is left', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	runSync(takeOut(base, partial, removal))
	rmSync(join(base, removing.folder(partial, 7)), { recursive: true })
	seal(base, newer, { id: 'later' })
	runSync(takeOut(base, partial, removal))
	t.deepEqual(visible(base).copy, newer)
})

test('somebody’s own folder in the place of what is deleted in part stays', (t) => {
	for (let calls = 2; ; calls++) {
		const base = makeHaven(t)
		seal(base, older)
		runSync(takeOut(base, partial, removal))
		const ran = drive(clearRemoved(base, partial, removal)).run(calls)
		write(join(base, snapshotFolder(key)), { 'somebody’s': 'own' })
		runSync(takeOut(base, partial, removal))
		t.deepEqual(visible(base).copy, { 'somebody’s': 'own' }, `${calls} calls`)
		if (!('done' in ran) || ran.done) return
	}
})

test('a folder that no receipt knows stays', (t) => {
	const base = makeHaven(t)
	write(join(base, snapshotFolder(key)), { 'somebody’s': 'own' })
	t.is(runSync(takeOut(base, partial, removal)), undefined)
	t.deepEqual(visible(base).copy, { 'somebody’s': 'own' })
})

test('a receipt whose folder somebody has deleted goes too', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	renameSync(join(base, 'data'), join(base, 'elsewhere'))
	t.deepEqual(runSync(takeOut(base, partial, removal)), [partial, '.snaphaven/receipts/ks/orders-0123'])
	isGone(t, base, 'removed')
})

test('files that another snapshot shares stay whole, and only what is freed is counted', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	const place = join(base, snapshotFolder(other))
	mkdirSync(place)
	linkSync(join(base, snapshotFolder(key), 'nb-1-big-Data.db'), join(place, 'nb-1-big-Data.db'))
	const receiptBytes = readFileSync(join(base, receiptPath(key))).length
	runSync(takeOut(base, partial, removal))
	t.is(runSync(clearRemoved(base, partial, removal)), '{"files":[]}'.length + 'index'.length + receiptBytes)
	t.deepEqual(read(place), { 'nb-1-big-Data.db': 'older data' })
	t.deepEqual(readdirSync(join(base, partial)), [])
	t.is(runSync(clearRemoved(base, partial, removal)), 0)
})

test('intents of removals are found where they were written whole', (t) => {
	const base = makeHaven(t)
	runSync(writeRemovals(base, removing.intent(partial, 0), [removal], false))
	writeFileSync(join(base, removing.intent(partial, 1)), '{"format":1,"removals":[')
	writeFileSync(join(base, partial, 'removal-x.json'), '{}')
	t.deepEqual(runSync(findRemovals(base, partial)), [{ path: removing.intent(partial, 0), removals: [removal] }])
	t.deepEqual(runSync(findRemovals(base, removing.intent(partial, 1))), [])
})
