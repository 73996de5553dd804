import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runSync } from '../../src/files/io.ts'
import {
	BACKUPS,
	backupsTag,
	gathering,
	receiptPath,
	type SnapshotKey,
	snapshotFolder,
} from '../../src/haven/layout.ts'
import { type LiveTurn, writeLiveIntent } from '../../src/haven/live-turn.ts'
import { undoLive } from '../../src/haven/live-undo.ts'
import { writeReceipt } from '../../src/haven/receipt.ts'
import { checksumOf } from '../../src/haven/sealed-text.ts'
import {
	type Files,
	filesBelow,
	KEY,
	PARTIAL,
	receiptOf,
	recovery,
	runUntil,
	wholeTurn,
} from '../live/support/turn-scene.ts'
import { ownFolder } from '../support/folder.ts'

const NUMBER = 7
const keyOf = (day: number): SnapshotKey => ({
	...KEY,
	tag: backupsTag(`2026-11-0${day}T00:00:00.000Z`, `0123456789abcdef-${day}`, false),
})
const sstable = (prefix: string): [string, string][] =>
	['Data.db', 'Index.db', 'TOC.txt'].map((component) => [prefix + component, `${component} of ${prefix}`])
const OLD: Files = new Map(sstable('nb-1-big-'))
const NEW: Files = new Map([...sstable('nb-2-big-'), ...sstable('.by_city/nb-1-big-')])
const STRANGER: Files = new Map([['nb-2-big-Data.db', 'a stranger in the way']])
const PLACE = snapshotFolder({ ...KEY, tag: BACKUPS })

function write(path: string, text: string): void {
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, text)
}

/** A haven that has one part, and in which another is about to be added. */
function makeTurn(base: string, day = 2): LiveTurn {
	for (const [path, text] of [...OLD, ...STRANGER]) write(join(base, PLACE, path), text)
	write(join(base, receiptPath(keyOf(1))), writeReceipt({ ...receiptOf(OLD), ...keyOf(1) }))
	for (const [path, text] of NEW) write(join(base, gathering.folder(PARTIAL, NUMBER), path), text)
	const receipt = writeReceipt({ ...receiptOf(NEW), ...keyOf(day) })
	write(join(base, gathering.receipt(PARTIAL, NUMBER)), receipt)
	return {
		...{ number: NUMBER, key: keyOf(day), receiptChecksum: checksumOf(receipt), folders: ['.by_city'] },
		...{ add: [...NEW.keys()], replace: [], clear: [], remove: [] },
	}
}

const standing = (base: string) => [...filesBelow(join(base, PLACE))].sort()
const isTold = (base: string) => existsSync(join(base, receiptPath(keyOf(2))))
const before = [...OLD, ...STRANGER].sort()
const after = [...OLD, ...NEW].sort()

/** Begins the turn again and again in a new haven, stopped after each of its calls in turn. */
function eachStop(t: ExecutionContext, work: (base: string, turn: LiveTurn, calls: number) => void): void {
	const own = ownFolder(t)
	const turn = makeTurn(join(own, 'before'))
	for (let calls = 0, ended = false; !ended; calls++) {
		const base = join(own, `stop-${calls}`)
		cpSync(join(own, 'before'), base, { recursive: true })
		ended = runUntil(wholeTurn(base, turn), calls)
		for (const [path, text] of OLD) t.is(readFileSync(join(base, PLACE, path), 'utf8'), text)
		work(base, turn, calls)
	}
}

test('stopped after any call, a part of incremental backups is finished by the next start, or was not begun', (t) => {
	const outcomes = new Set<boolean>()
	eachStop(t, (base, _, calls) => {
		for (const inner of [3, 12, 30]) runUntil(recovery(base), inner + (calls % 5))
		runSync(recovery(base))
		outcomes.add(isTold(base))
		t.deepEqual(standing(base), isTold(base) ? after : before, `after ${calls} calls`)
		t.is([...filesBelow(join(base, '.snaphaven/set-aside'))].length, isTold(base) ? 1 : 0)
	})
	t.deepEqual([...outcomes].sort(), [false, true])
})

test('bytes of a part that a crash has spoiled are taken back, and nothing of the parts before', (t) => {
	eachStop(t, (base, turn, calls) => {
		const spoiled = turn.add.at(calls % turn.add.length) ?? ''
		const gathered = join(base, gathering.folder(PARTIAL, NUMBER), spoiled)
		const path = existsSync(gathered) ? gathered : join(base, PLACE, spoiled)
		if (!existsSync(join(base, gathering.liveIntent(PARTIAL, 0))) || !existsSync(path) || calls < 4) return
		writeFileSync(path, readFileSync(path, 'utf8').replace(/./, '?'))
		for (const inner of [4, 20]) runUntil(recovery(base), inner + (calls % 7))
		runSync(recovery(base))
		t.false(isTold(base))
		const left = standing(base).filter(([name]) => name !== 'nb-2-big-Data.db')
		t.deepEqual(left, [...OLD].sort(), `after ${calls} calls`)
	})
})

test('an intent that a power cut brings back takes nothing from the part that came in place of its own', (t) => {
	const base = ownFolder(t)
	const turn = makeTurn(base)
	runSync(undoLive(base, PARTIAL, turn, 'own'))
	t.true(runUntil(wholeTurn(base, makeTurn(base, 3)), Number.POSITIVE_INFINITY))
	runSync(writeLiveIntent(base, gathering.liveIntent(PARTIAL, 0), [turn], false))
	t.deepEqual(runSync(recovery(base)), ['back'])
	t.deepEqual(standing(base), after)
	t.deepEqual(readdirSync(join(base, PARTIAL)), [])
})
