import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runSync } from '../../src/files/io.ts'
import { gathering, tableFolder } from '../../src/haven/layout.ts'
import { type LiveTurn, writeLiveIntent } from '../../src/haven/live-turn.ts'
import { undoLive } from '../../src/haven/live-undo.ts'
import { ownFolder } from '../support/folder.ts'
import {
	type Files,
	filesBelow,
	KEY,
	makeTurn,
	NEW,
	OLD,
	PARTIAL,
	recovery,
	runUntil,
	STRANGERS,
	standing,
	told,
	wholeTurn,
} from './support/turn-scene.ts'

/** Begins the turn again and again in a new haven, stopped after each of its calls in turn. */
function eachStop(
	t: ExecutionContext,
	work: (base: string, turn: LiveTurn, calls: number) => void,
	change: Partial<LiveTurn> = {},
): number {
	const own = ownFolder(t)
	const turn = { ...makeTurn(join(own, 'before')), ...change }
	for (let calls = 0; ; calls++) {
		const base = join(own, `stop-${calls}`)
		cpSync(join(own, 'before'), base, { recursive: true })
		const ended = runUntil(wholeTurn(base, turn), calls)
		work(base, turn, calls)
		if (ended) return calls
	}
}

const withStrangers = (files: Files) => new Map([...STRANGERS, ...files])
const setAside = (base: string) => [...filesBelow(join(base, '.snaphaven/set-aside')).values()]
const sorted = (files: Files) => [...files].sort()

/** Prefixes of SSTables that have a TOC.txt and yet lack anything, or have components of different SSTables. */
function torn(base: string): string[] {
	const files = standing(base)
	const tocs = [...files.keys()].filter((path) => path.endsWith('TOC.txt'))
	return tocs
		.map((path) => path.slice(0, -'TOC.txt'.length))
		.filter((prefix) => {
			const isWhole = (set: Files) =>
				[...set].every(
					([path, text]) => !path.startsWith(prefix) || /SAI|Statistics|TOC/.test(path) || files.get(path) === text,
				)
			const sets = [OLD, NEW].filter((set) => set.has(`${prefix}TOC.txt`))
			return !sets.some(isWhole) || !files.has(`${prefix}Statistics.db`)
		})
}

/** Whether all SSTables of a set stand whole, those aside whose name another one gets. */
function stands(base: string, set: Files): boolean {
	const files = standing(base)
	return [...set].every(([path, text]) => /SAI|Statistics|TOC|nb-9/.test(path) || files.get(path) === text)
}

test('a turn that ends leaves the new set, its receipt and what no receipt knows, and nothing else', (t) => {
	const base = ownFolder(t)
	const turn = makeTurn(base)
	t.true(runUntil(wholeTurn(base, turn), Number.POSITIVE_INFINITY))
	t.deepEqual(sorted(standing(base)), sorted(withStrangers(NEW)))
	t.is(told(base), 'new')
	t.deepEqual(readdirSync(join(base, PARTIAL)), [])
	t.deepEqual(setAside(base), ['a stranger in the way'])
	t.false(existsSync(join(base, tableFolder(KEY), '.old_index')))
})

test('stopped after any call, what has a TOC.txt is whole, and the old set or the new one stands', (t) => {
	const stops = eachStop(t, (base, _, calls) => {
		t.deepEqual(torn(base), [], `after ${calls} calls`)
		t.true(stands(base, OLD) || stands(base, NEW), `after ${calls} calls`)
	})
	t.true(stops > 100)
})

test('stopped after any call, a turn is finished by the next start, which may be stopped too', (t) => {
	eachStop(t, (base, _, calls) => {
		const begun = existsSync(join(base, gathering.liveIntent(PARTIAL, 0))) && calls > 3
		for (const inner of [3, 20, 45, 70]) {
			runUntil(recovery(base), inner + (calls % 5))
			t.deepEqual(torn(base), [], `after ${calls} calls and ${inner}`)
		}
		const came = runSync(recovery(base))
		t.true(
			came.every((one) => one === 'forward'),
			`${came} after ${calls} calls`,
		)
		const expected = begun || told(base) === 'new' ? 'new' : 'old'
		t.is(told(base), expected)
		t.deepEqual(sorted(standing(base)), sorted(withStrangers(expected === 'new' ? NEW : new Map([...OLD]))), `${calls}`)
		if (expected === 'new') t.deepEqual(setAside(base), ['a stranger in the way'])
	})
})

test('what goes is kept where that is asked for, whenever it is stopped', (t) => {
	const gone = new Map([...OLD].filter(([path]) => !NEW.has(path) || path.startsWith('nb-9')))
	eachStop(
		t,
		(base) => {
			runSync(recovery(base))
			if (told(base) !== 'new') return
			const kept = filesBelow(join(base, '.snaphaven/deleted/2026-11-21/ks/t'))
			const texts = [...kept].map(([path, text]) => [path.slice(path.indexOf('/') + 1), text])
			t.deepEqual(texts.sort(), sorted(gone))
		},
		{ keepIn: '.snaphaven/deleted/2026-11-21/ks/t' },
	)
})

test('new bytes that a crash has spoiled are taken back, or no set counts where the old one has begun to go', (t) => {
	const outcomes = new Set<string>()
	let wereAside = 0
	eachStop(t, (base, turn, calls) => {
		const spoiled = turn.add.at(calls % turn.add.length) ?? ''
		const gathered = join(base, gathering.folder(PARTIAL, turn.number), spoiled)
		const path = existsSync(gathered) ? gathered : join(base, tableFolder(KEY), spoiled)
		if (!existsSync(path) || !existsSync(join(base, gathering.liveIntent(PARTIAL, 0))) || calls < 4) return
		writeFileSync(path, readFileSync(path, 'utf8').replace(/./, '?'))
		for (const inner of [4, 25, 60]) runUntil(recovery(base), inner + (calls % 7))
		runSync(recovery(base))
		outcomes.add(told(base) ?? 'none')
		if (told(base) === 'old') {
			const files = standing(base)
			for (const [path, text] of OLD) t.is(files.get(path), text, `${path} after ${calls} calls`)
			for (const path of NEW.keys()) if (!OLD.has(path) && path !== 'nb-3-big-Data.db') t.false(files.has(path), path)
		} else t.is(told(base), undefined)
		wereAside += setAside(base).length
	})
	t.deepEqual([...outcomes].sort(), ['none', 'old'])
	t.true(wereAside > 0)
})

test('a turn that fails before anything has gone is taken back to the byte', (t) => {
	eachStop(t, (base, turn, calls) => {
		const hasBegunToGo = told(base) === 'new'
		if (hasBegunToGo || !existsSync(join(base, gathering.liveIntent(PARTIAL, 0)))) return
		runSync(undoLive(base, PARTIAL, turn, 'own'))
		t.is(told(base), 'old')
		const files = standing(base)
		for (const [path, text] of OLD) t.is(files.get(path), text, `${path} after ${calls} calls`)
	})
})

test('an intent that a power cut brought back long after its turn does nothing', (t) => {
	const base = ownFolder(t)
	const turn = makeTurn(base)
	const stale = { ...turn, receiptChecksum: '00000000', replaces: '11111111' }
	runSync(writeLiveIntent(base, gathering.liveIntent(PARTIAL, 0), [stale], false))
	t.deepEqual(runSync(recovery(base)), ['nothing'])
	t.deepEqual(sorted(standing(base)), sorted(new Map([...OLD, ...STRANGERS])))
	t.is(told(base), 'old')
})
