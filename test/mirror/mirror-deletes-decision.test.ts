import test from 'ava'
import fc from 'fast-check'
import { type ClearedSnapshot, decideRemoval, type Evidence, type Sight } from '../../src/mirror/cleared.ts'

const directories = ['/d1', '/d2', '/d3']

const sight = (dataDirectory: string): fc.Arbitrary<Sight> =>
	fc.oneof(
		{ weight: 4, arbitrary: fc.constant<Sight>({ dataDirectory, there: 'table', tags: [] }) },
		fc.constant<Sight>({ dataDirectory, there: 'table', tags: ['other', 'daily'] }),
		fc.constant<Sight>({ dataDirectory, there: 'no table' }),
		fc.constant<Sight>({ dataDirectory, there: 'unknown', problem: 'not mounted' }),
	)

const mostly = (value: boolean) => fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, fc.constant(!value))

const cases = fc.record({
	moving: mostly(false),
	matches: mostly(true),
	named: fc.subarray(directories),
	sights: fc
		.subarray(directories, { minLength: 1 })
		.chain((paths) => fc.tuple(...paths.map(sight)) as fc.Arbitrary<Sight[]>),
	ageMs: fc.oneof(fc.integer({ min: -10, max: 2000 }), fc.constant(Number.NaN)),
	graceMs: fc.integer({ min: 0, max: 1000 }),
	apartMs: fc.integer({ min: 0, max: 1000 }),
	goneForMs: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

function decide({ moving, matches, named, sights, ageMs, graceMs, apartMs, goneForMs }: Case) {
	const nowMs = 1_700_000_000_000
	const snapshot: ClearedSnapshot = {
		tag: 'daily',
		receiptId: 'id',
		sealedMs: nowMs - ageMs,
		moving,
		dataDirectories: named,
	}
	const evidence: Evidence = {
		sights,
		matchesTag: (tag) => matches && tag === 'daily',
		nowMs,
		graceMs,
		steadyMs: 5000,
		apartMs,
		goneSinceMs: new Map(goneForMs === undefined ? [] : [['id', 5000 - goneForMs]]),
	}
	return decideRemoval(snapshot, evidence)
}

/** The rules as a person would tell them. */
function mayGo({ moving, matches, named, sights, ageMs, graceMs, apartMs, goneForMs }: Case): boolean {
	const seen = named.map((path) => sights.find((one) => one.dataDirectory === path)?.there)
	return (
		!moving &&
		matches &&
		ageMs > graceMs &&
		sights.every((one) => one.there !== 'table' || !one.tags.includes('daily')) &&
		(seen.every((there) => there === 'table') || seen.every((there) => there === 'no table')) &&
		seen.length > 0 &&
		goneForMs !== undefined &&
		goneForMs >= apartMs
	)
}

test('removed is just what the rules allow, whatever is on the disks', (t) => {
	let removed = 0
	fc.assert(
		fc.property(cases, (one) => {
			const { verdict } = decide(one)
			if (verdict === 'remove') removed++
			return (verdict === 'remove') === mayGo(one)
		}),
		{ numRuns: 20_000 },
	)
	t.true(removed > 200, `${removed} of them were removed`)
})

test('what may go later is looked at again just when it may', (t) => {
	fc.assert(
		fc.property(cases, (one) => {
			const first = decide(one)
			if (first.verdict === 'look again') {
				const goneForMs = (one.goneForMs ?? 0) + first.inMs
				return decide({ ...one, ageMs: one.ageMs + first.inMs, goneForMs }).verdict === 'remove'
			}
			if (first.verdict !== 'too young' || Number.isNaN(one.ageMs)) return true
			const soon = decide({ ...one, ageMs: one.ageMs + first.inMs })
			const later = decide({ ...one, ageMs: one.ageMs + first.inMs + 1 })
			return soon.verdict === 'too young' && later.verdict !== 'too young'
		}),
		{ numRuns: 5000 },
	)
	t.pass()
})

test('a seal whose time can’t be told stays for ever', (t) => {
	const verdict = decide({
		...{ moving: false, matches: true, named: ['/d1'], ageMs: Number.NaN, graceMs: 0, apartMs: 0, goneForMs: 10 },
		sights: [{ dataDirectory: '/d1', there: 'table', tags: [] }],
	})
	t.deepEqual(verdict, { verdict: 'too young', inMs: Number.POSITIVE_INFINITY })
})

const doubts: [string, string[], Sight[], RegExp][] = [
	['an unmounted data directory', ['/d1'], [{ dataDirectory: '/d1', there: 'unknown', problem: 'gone' }], /^gone$/],
	[
		'a data directory that this run does not have',
		['/d1', '/d2'],
		[{ dataDirectory: '/d1', there: 'table', tags: [] }],
		/^\/d2, which they came from, is none of the data directories of this run$/,
	],
	[
		'a table that only some data directories still have',
		['/d1', '/d2'],
		[
			{ dataDirectory: '/d1', there: 'table', tags: [] },
			{ dataDirectory: '/d2', there: 'no table' },
		],
		/^\/d2 has no folder of the table, and another data directory has one$/,
	],
]
for (const [what, named, sights, problem] of doubts) {
	test(`${what} is told as the reason why nothing is removed`, (t) => {
		const times = { ageMs: 2000, graceMs: 1000, apartMs: 10, goneForMs: 1000 }
		const verdict = decide({ moving: false, matches: true, named, sights, ...times })
		t.is(verdict.verdict, 'in doubt')
		t.regex(verdict.verdict === 'in doubt' ? verdict.doubt.problem : '', problem)
	})
}
