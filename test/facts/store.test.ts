import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { NodeFacts } from '../../src/cassandra/facts.ts'
import { runSync } from '../../src/files/io.ts'
import { clearFacts, keepFacts, readFacts, readNote } from '../../src/haven/facts.ts'
import { findFacts, nearestFirst } from '../../src/restore/find-facts.ts'
import { ownFolder } from '../support/folder.ts'

const PARTIAL = '.snaphaven/partial/0123456789abcdef'

function place(t: ExecutionContext) {
	const base = ownFolder(t)
	mkdirSync(join(base, PARTIAL), { recursive: true })
	const facts = join(base, '.snaphaven/facts')
	return {
		base,
		facts,
		files: () => readdirSync(facts).filter((name) => name.endsWith('.json')),
		tags: () => readdirSync(join(facts, 'tags')).sort(),
		keep: (tag: string, at: string, of: NodeFacts) =>
			runSync(keepFacts(base, PARTIAL, { tags: [tag], at, facts: of }, { flushFolders: true })),
	}
}

function factsOf(token: string): NodeFacts {
	return { source: 'cql', node: { hostId: 'h', tokens: [token] }, roles: [], grants: [], missing: [] }
}

const at = (hour: number) => `2026-11-21T${String(hour).padStart(2, '0')}:00:00.000Z`

test('the same facts are kept once, however many tags have them, and nobody else may read them', (t) => {
	const { base, facts, files, tags, keep } = place(t)
	keep('monday', at(1), factsOf('1'))
	keep('tuesday', at(2), factsOf('1'))
	t.is(files().length, 1)
	keep('wednesday', at(3), factsOf('2'))
	keep('A:b', at(4), factsOf('2'))
	t.is(files().length, 2)
	t.is(tags().length, 4)
	t.deepEqual(readdirSync(join(base, PARTIAL)), [])
	for (const name of files()) t.is(statSync(join(facts, name)).mode & 0o777, 0o600)
	t.is(statSync(facts).mode & 0o777, 0o700)
	t.is(runSync(readNote(base, 'A:b'))?.readings.length, 1)
	keep('monday', at(5), factsOf('1'))
	t.deepEqual(
		runSync(readNote(base, 'monday'))?.readings.map((one) => one.at),
		[at(5)],
	)
	keep('monday', at(6), factsOf('2'))
	t.deepEqual(
		runSync(readNote(base, 'monday'))?.readings.map((one) => one.at),
		[at(5), at(6)],
	)
})

test('facts that were changed are not believed, and are written anew with the next tag', (t) => {
	const { base, facts, files, keep } = place(t)
	keep('monday', at(1), factsOf('1'))
	const [name = ''] = files()
	const path = join(facts, name)
	writeFileSync(path, readFileSync(path, 'utf8').replace('"tokens":["1"]', '"tokens":["7"]'))
	t.regex(String(runSync(readFacts(base, name.slice(0, 16)))), /the checksum of .* does not hold/)
	const head = { tag: 'monday', takenAt: at(0) }
	const search = runSync(findFacts(base, head, () => true))
	t.is(search.found, undefined)
	t.regex(search.problems.join(), /checksum/)
	keep('tuesday', at(2), factsOf('1'))
	t.deepEqual(runSync(findFacts(base, head, () => true)).found?.facts.node.tokens, ['1'])
})

test('the facts of a snapshot are those read first after it was taken; of its tag, of another, then of before', (t) => {
	const readings = [
		{ tag: 'a', at: at(1), facts: '1' },
		{ tag: 'b', at: at(3), facts: '2' },
		{ tag: 'a', at: at(5), facts: '3' },
		{ tag: 'c', at: at(7), facts: '4' },
	]
	const order = (tag: string, hour: number) =>
		nearestFirst(readings, tag, Date.parse(at(hour)))
			.map(({ facts }) => facts)
			.join('')
	t.is(order('a', 0), '1324')
	t.is(order('a', 2), '3241')
	t.is(order('x', 2), '2341')
	t.is(order('a', 6), '4321')
	t.is(order('c', 8), '4321')
})

test('facts go with the last receipt of their tags, and none that a tag needs', (t) => {
	const { base, facts, files, tags, keep } = place(t)
	keep('monday', at(1), factsOf('1'))
	keep('tuesday', at(2), factsOf('1'))
	keep('wednesday', at(3), factsOf('2'))
	runSync(clearFacts(base, PARTIAL, new Set(['tuesday.json', 'wednesday.json'])))
	t.deepEqual([tags(), files().length], [['tuesday.json', 'wednesday.json'], 2])
	const note = join(facts, 'tags/tuesday.json')
	const text = readFileSync(note, 'utf8')
	writeFileSync(note, 'torn')
	runSync(clearFacts(base, PARTIAL, new Set(['tuesday.json'])))
	t.is(files().length, 2)
	writeFileSync(note, text)
	runSync(clearFacts(base, PARTIAL, new Set(['tuesday.json'])))
	t.deepEqual([tags(), files().length], [['tuesday.json'], 1])
	runSync(clearFacts(base, PARTIAL, new Set()))
	t.deepEqual([tags(), files()], [[], []])
	t.false(existsSync(join(base, PARTIAL, 'facts.json')))
})
