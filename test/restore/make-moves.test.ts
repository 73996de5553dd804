import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runSync } from '../../src/files/io.ts'
import { makeMoves } from '../../src/restore/make-moves.ts'
import { drive } from '../haven/support/steps.ts'
import { ownFolder } from '../support/folder.ts'

const COMPONENTS = ['Data.db', 'Index.db', 'TOC.txt']
const LIVE = 'ks/t-00000000000000000000000000000000'
const STAGED = '.snaphaven-restore/ks/t'
const ASIDE = `.snaphaven-replaced-20261122T100000Z/${LIVE}`

function write(folder: string, sstable: string, text: string): void {
	mkdirSync(folder, { recursive: true })
	for (const component of COMPONENTS) writeFileSync(join(folder, `${sstable}-${component}`), text)
}

/** Each SSTable of a folder: what its components say, `-` for one that is not there. */
function read(folder: string): Record<string, string> {
	const sstables = [...new Set(readdirSync(folder).map((name) => name.slice(0, name.lastIndexOf('-'))))]
	const textOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '-')
	const whole = (one: string) => COMPONENTS.map((component) => textOf(join(folder, `${one}-${component}`))).join('')
	return Object.fromEntries(sstables.sort().map((one) => [one, whole(one)]))
}

/** What a node does when it starts: files of an SSTable that has no Data.db go. */
function startNode(live: string): void {
	for (const name of readdirSync(live)) {
		if (!existsSync(join(live, `${name.slice(0, name.lastIndexOf('-'))}-Data.db`))) rmSync(join(live, name))
	}
}

/** `o`, live under a number that one of the two staged SSTables has, is to go aside, and `a` and `b` into its place. */
function makeScene(t: ExecutionContext) {
	const data = ownFolder(t)
	const [live, staged, aside] = [join(data, LIVE), join(data, STAGED), join(data, ASIDE)]
	write(live, 'nb-1-big', 'o')
	write(staged, 'nb-1-big', 'a')
	write(staged, 'nb-2-big', 'b')
	mkdirSync(aside, { recursive: true })
	const all = (from: string, to: string, sstable: string) =>
		COMPONENTS.map((one) => ({ from: `${from}/${sstable}-${one}`, to: `${to}/${sstable}-${one}` }))
	const moves = [...all(live, aside, 'nb-1-big'), ...all(staged, live, 'nb-1-big'), ...all(staged, live, 'nb-2-big')]
	return { live, staged, aside, moves: () => makeMoves([data], moves) }
}

for (const meanwhile of ['', ', and makes an SSTable of a name that is to come']) {
	test(`moves are stopped at any call, a node starts${meanwhile}: nothing is lost, and they come to their end`, (t) => {
		for (let calls = 0; ; calls++) {
			const { live, staged, aside, moves } = makeScene(t)
			const ran = drive(moves()).run(calls)
			if ('failed' in ran) throw ran.failed
			startNode(live)
			const [now, kept] = [read(live), read(aside)]
			const when = `${calls} calls: ${JSON.stringify({ now, kept })}`
			t.true(now['nb-1-big'] === 'ooo' || kept['nb-1-big'] === 'ooo', when)
			for (const sstable of Object.values(now)) t.true(['ooo', 'aaa', 'bbb'].includes(sstable), when)
			const isTaken = meanwhile !== '' && !('nb-2-big' in now)
			// It has other components than the one that was to come.
			if (isTaken) for (const one of ['Data.db', 'TOC.txt']) writeFileSync(join(live, `nb-2-big-${one}`), 'n')
			const untaken = runSync(moves()).map(({ from }) => basename(from))
			t.deepEqual(untaken, isTaken ? COMPONENTS.map((one) => `nb-2-big-${one}`) : [], when)
			t.deepEqual(read(live), { 'nb-1-big': 'aaa', 'nb-2-big': isTaken ? 'n-n' : 'bbb' }, when)
			t.deepEqual(read(aside), { 'nb-1-big': 'ooo' }, when)
			// What was not put is brought under another name by the next plan.
			t.deepEqual(read(staged), isTaken ? { 'nb-2-big': 'bbb' } : {}, when)
			if (ran.done) return void t.true(calls > 30)
		}
	})
}
