import test from 'ava'
import fc from 'fast-check'
import type { FolderIdentity } from '../../src/cassandra/folder-identity.ts'
import { type ClearedSnapshot, decideRemoval, type Evidence, type Sight } from '../../src/mirror/cleared.ts'

const directories = ['/d1', '/d2', '/d3']

const keyspace: FolderIdentity = { ino: '128', bornNs: '1700000000123456789' }
const table: FolderIdentity = { ino: '131', bornNs: '1700000001123456789' }

/** Mostly the folder itself; or another of the same number, one made at the same time, or one of which no time is known. */
const folder = ({ ino, bornNs = '' }: FolderIdentity): fc.Arbitrary<FolderIdentity> =>
	fc.oneof(
		{ weight: 40, arbitrary: fc.constant({ ino, bornNs }) },
		fc.constant({ ino, bornNs: '1700000002123456789' }),
		fc.constant({ ino: '99', bornNs }),
		fc.constant({ ino }),
	)
const parents = fc.record({ keyspace: folder(keyspace), table: folder(table) })

const sight = (dataDirectory: string): fc.Arbitrary<Sight> =>
	fc.oneof(
		{ weight: 4, arbitrary: parents.map((is): Sight => ({ dataDirectory, there: 'table', tags: [], ...is })) },
		parents.map((is): Sight => ({ dataDirectory, there: 'table', tags: ['other', 'daily'], ...is })),
		folder(keyspace).map((is): Sight => ({ dataDirectory, there: 'no table', keyspace: is })),
		fc.constant<Sight>({ dataDirectory, there: 'unknown', problem: 'not mounted' }),
	)

const place = (dataDirectory: string): fc.Arbitrary<ClearedSnapshot['places'][number]> =>
	fc.record({
		dataDirectory: fc.constant(dataDirectory),
		parents: fc.option(parents, { freq: 20, nil: undefined }),
	})

const mostly = (value: boolean) => fc.oneof({ weight: 5, arbitrary: fc.constant(value) }, fc.constant(!value))

const cases = fc.record({
	moving: mostly(false),
	matches: mostly(true),
	places: fc
		.subarray(directories)
		.chain((paths) => fc.tuple(...paths.map(place)) as fc.Arbitrary<ClearedSnapshot['places']>),
	sights: fc
		.subarray(directories, { minLength: 1 })
		.chain((paths) => fc.tuple(...paths.map(sight)) as fc.Arbitrary<Sight[]>),
	ageMs: fc.oneof(fc.integer({ min: -10, max: 2000 }), fc.constant(Number.NaN)),
	graceMs: fc.integer({ min: 0, max: 1000 }),
	apartMs: fc.integer({ min: 0, max: 1000 }),
	goneForMs: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }),
})
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never

function decide({ moving, matches, places, sights, ageMs, graceMs, apartMs, goneForMs }: Case) {
	const nowMs = 1_700_000_000_000
	const snapshot: ClearedSnapshot = {
		tag: 'daily',
		receiptId: 'id',
		sealedMs: nowMs - ageMs,
		moving,
		places,
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
function mayGo({ moving, matches, places, sights, ageMs, graceMs, apartMs, goneForMs }: Case): boolean {
	const seen = places.map(({ dataDirectory, parents: was }) => {
		const is = sights.find((one) => one.dataDirectory === dataDirectory)
		if (is?.there === 'table') return isOneFolder(was?.table, is.table) && 'table'
		return is?.there === 'no table' && isOneFolder(was?.keyspace, is.keyspace) && 'no table'
	})
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

function isOneFolder(was: FolderIdentity | undefined, is: FolderIdentity): boolean {
	return was?.bornNs !== undefined && was.ino === is.ino && was.bornNs === is.bornNs
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
		...{ moving: false, matches: true, ageMs: Number.NaN, graceMs: 0, apartMs: 0, goneForMs: 10 },
		places: [sealed('/d1')],
		sights: [seen('/d1')],
	})
	t.deepEqual(verdict, { verdict: 'too young', inMs: Number.POSITIVE_INFINITY })
})

const other: FolderIdentity = { ino: '128', bornNs: '1800000000000000000' }
const doubts: [string, ClearedSnapshot['places'], Sight[], 'keyspace' | 'table', RegExp][] = [
	[
		'an unmounted data directory',
		[sealed('/d1')],
		[{ dataDirectory: '/d1', there: 'unknown', problem: 'gone' }],
		'keyspace',
		/^gone$/,
	],
	[
		'a data directory that this run does not have',
		[sealed('/d1'), sealed('/d2')],
		[seen('/d1')],
		'keyspace',
		/^\/d2, which they came from, is none of the data directories of this run$/,
	],
	[
		'a table that only some data directories still have',
		[sealed('/d1'), sealed('/d2')],
		[seen('/d1'), { dataDirectory: '/d2', there: 'no table', keyspace }],
		'table',
		/^\/d2 has no folder of the table, and another data directory has one$/,
	],
	[
		'a replaced disk',
		[sealed('/d1'), sealed('/d2')],
		[seen('/d1'), { ...seen('/d2'), keyspace: other, table: other }],
		'keyspace',
		/^in \/d2 the keyspace’s folder is another than the one that they came from$/,
	],
	[
		'another folder in the place of the table’s',
		[sealed('/d1')],
		[{ ...seen('/d1'), table: other }],
		'table',
		/^in \/d1 the table’s folder is another than the one that they came from$/,
	],
	[
		'no folder of the table in another keyspace’s folder',
		[sealed('/d1')],
		[{ dataDirectory: '/d1', there: 'no table', keyspace: other }],
		'keyspace',
		/^in \/d1 the keyspace’s folder is another than the one that they came from$/,
	],
	[
		'a receipt that does not say which folders it is of',
		[{ dataDirectory: '/d1', parents: undefined }],
		[seen('/d1')],
		'keyspace',
		/^receipts of an older snaphaven do not say which folder of \/d1 it was$/,
	],
	[
		'a file system that does not say when a folder was made',
		[{ dataDirectory: '/d1', parents: { keyspace: { ino: '128' }, table: { ino: '131' } } }],
		[{ dataDirectory: '/d1', there: 'table', tags: [], keyspace: { ino: '128' }, table: { ino: '131' } }],
		'keyspace',
		/^the file system of \/d1 does not say when a folder was made$/,
	],
]
for (const [what, places, sights, of, problem] of doubts) {
	test(`${what} is told as the reason why nothing is removed`, (t) => {
		const times = { ageMs: 2000, graceMs: 1000, apartMs: 10, goneForMs: 1000 }
		const verdict = decide({ moving: false, matches: true, places, sights, ...times })
		t.is(verdict.verdict, 'in doubt')
		if (verdict.verdict !== 'in doubt') return
		t.regex(verdict.doubt.problem, problem)
		t.is(verdict.doubt.of, of)
	})
}

/** A place that the snapshot was sealed from, and a look that finds the same folders there without it. */
function sealed(dataDirectory: string): ClearedSnapshot['places'][number] {
	return { dataDirectory, parents: { keyspace, table } }
}

function seen(dataDirectory: string): Sight & { there: 'table' } {
	return { dataDirectory, there: 'table', tags: [], keyspace, table }
}
