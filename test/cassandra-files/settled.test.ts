import test from 'ava'
import fc from 'fast-check'
import { isSettled, type Verdict } from '../../src/cassandra/settled.ts'
import { type SnapshotListing, SYSTEM_KEYSPACES } from '../../src/cassandra/snapshot.ts'
import { file, listing, wholeListing } from './support/listings.ts'

const UUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'
const SETTLE_MS = 60_000

interface Asked {
	after: SnapshotListing
	before?: SnapshotListing
	keyspace?: string
	tag?: string
	/** Since the listing's last change, at 1000 ms. */
	laterMs?: number
}

function ask({ after, before = after, keyspace = 'shop', tag = 'daily', laterMs = 250 }: Asked): Verdict {
	return isSettled({ keyspace, tag, before, after, nowMs: 1000 + laterMs, settleMs: SETTLE_MS })
}

function reason(verdict: Verdict): string {
	return 'reason' in verdict ? verdict.reason : verdict.verdict
}

const proven = { verdict: 'settled', proof: 'manifest' } as const
const quiet = { verdict: 'settled', proof: 'quiet' } as const

test('a snapshot with all that its manifest names, and a schema, is settled a quarter of a second later', (t) => {
	const waiting = ask({ after: wholeListing(), laterMs: 249 })
	t.like(waiting, { verdict: 'waiting', untilMs: 1250 })
	t.deepEqual(ask({ after: wholeListing(), laterMs: 250 }), proven)
	t.deepEqual(ask({ after: wholeListing(['da-1-bti-', '.by_city/da-1-bti-']) }), proven)
})

test('an empty table’s snapshot is settled by its manifest too', (t) => {
	const after = listing({ files: ['manifest.json', 'schema.cql'], manifest: { files: [] } })
	t.deepEqual(ask({ after }), proven)
})

test('taking any needed file away leaves it unsettled, and the reason names that file', (t) => {
	for (const prefix of ['nb-1-big-', 'da-1-bti-', '.by_city/da-1-bti-']) {
		const after = wholeListing(['nb-9-big-', prefix])
		for (const { path } of after.files) {
			if (path === 'manifest.json') continue
			const rest = { ...after, files: after.files.filter((one) => one.path !== path) }
			const verdict = ask({ after: rest })
			t.is(verdict.verdict, 'waiting', path)
			t.true(reason(verdict).includes(path), `${path}: ${reason(verdict)}`)
		}
	}
})

test('what the manifest names and is not there is never made good by quiet', (t) => {
	const after = wholeListing(['nb-1-big-', 'nb-2-big-'])
	const rest = { ...after, files: after.files.filter(({ path }) => path !== 'nb-2-big-Data.db') }
	const verdict = ask({ after: rest, laterMs: 10 * SETTLE_MS })
	t.like(verdict, { verdict: 'waiting', giveUpMs: 1000 + SETTLE_MS })
	t.regex(reason(verdict), /manifest\.json names nb-2-big-Data\.db, which is not there yet/)
})

test('a manifest that is half written is waited for, and never made good by quiet', (t) => {
	const after = wholeListing(undefined, { manifest: { problem: 'manifest.json is not whole JSON', hopeless: false } })
	t.like(ask({ after, laterMs: 10 * SETTLE_MS }), { verdict: 'waiting', reason: 'manifest.json is not whole JSON' })
})

test('a manifest that names files outside breaks its snapshot', (t) => {
	const after = wholeListing(undefined, { manifest: { problem: 'manifest.json names "../x"', hopeless: true } })
	t.deepEqual(ask({ after }), { verdict: 'broken', reason: 'manifest.json names "../x"' })
})

test('without a manifest, or with one and no schema, quiet is the proof', (t) => {
	const noManifest = listing({ files: ['nb-1-big-Data.db'] })
	const whole = wholeListing()
	const noSchema = { ...whole, files: whole.files.filter(({ path }) => path !== 'schema.cql') }
	for (const after of [noManifest, noSchema]) {
		t.like(ask({ after, laterMs: SETTLE_MS - 1 }), { verdict: 'waiting', untilMs: 1000 + SETTLE_MS })
		t.deepEqual(ask({ after, laterMs: SETTLE_MS }), quiet)
	}
})

test('Cassandra’s own keyspaces need no schema', (t) => {
	const whole = wholeListing()
	const noSchema = { ...whole, files: whole.files.filter(({ path }) => path !== 'schema.cql') }
	for (const keyspace of SYSTEM_KEYSPACES) t.deepEqual(ask({ after: noSchema, keyspace }), proven)
})

test('a repair’s own snapshot is left out: by its marker, its manifest, or its tag', (t) => {
	const whole = wholeListing()
	const marked = { ...whole, files: [...whole.files, file('ephemeral.snapshot', { size: 0 })] }
	const said = wholeListing(undefined, { manifest: { files: ['nb-1-big-Data.db'], ephemeral: true } })
	const older = wholeListing(undefined, { manifest: { files: ['nb-1-big-Data.db'] } })
	t.is(ask({ after: marked }).verdict, 'left out')
	t.is(ask({ after: said }).verdict, 'left out')
	t.is(ask({ after: older, tag: UUID }).verdict, 'left out')
	t.is(ask({ after: older, tag: UUID.toUpperCase() }).verdict, 'left out')
	t.is(ask({ after: listing({ files: ['nb-1-big-Data.db'] }), tag: UUID }).verdict, 'left out')
	t.deepEqual(ask({ after: older, tag: `${UUID}x` }), proven)
	t.deepEqual(ask({ after: whole, tag: UUID }), proven, 'the manifest says that it is not ephemeral')
})

test('the marker goes before a manifest that says otherwise', (t) => {
	const whole = wholeListing()
	t.is(ask({ after: { ...whole, files: [...whole.files, file('ephemeral.snapshot')] }, tag: UUID }).verdict, 'left out')
})

test('two data directories with different files of one name break it', (t) => {
	const verdict = ask({ after: wholeListing(undefined, { conflicts: ['nb-1-big-Data.db'] }) })
	t.is(verdict.verdict, 'broken')
	t.regex(reason(verdict), /two data directories hold different files named "nb-1-big-Data\.db"/)
})

test('any difference between the two looks is waited out, and named', (t) => {
	const before = wholeListing()
	const [first, ...rest] = before.files
	if (!first) throw new Error('no file')
	const [folder] = before.folders
	if (!folder) throw new Error('no folder')
	const changes: [SnapshotListing, RegExp][] = [
		[{ ...before, files: rest }, /file "nb-1-big-Data\.db" is gone/],
		[{ ...before, files: [...before.files, file('new')] }, /file "new" is new/],
		[{ ...before, files: [{ ...first, size: 1 }, ...rest] }, /file "nb-1-big-Data\.db" has changed/],
		[{ ...before, files: [{ ...first, mtimeNs: 1n }, ...rest] }, /has changed/],
		[{ ...before, files: [{ ...first, ino: 1n }, ...rest] }, /has changed/],
		[{ ...before, files: [{ ...first, dev: 9n }, ...rest] }, /has changed/],
		[{ ...before, folders: [{ ...folder, ino: 2n }] }, /folder "" has changed/],
		[{ ...before, folders: [folder, { ...folder, path: '.idx' }] }, /folder "\.idx" is new/],
		[{ ...before, superseded: [file('schema.cql', { directory: 1 })] }, /file "schema\.cql" is new/],
	]
	for (const [after, expected] of changes) {
		const verdict = ask({ before, after, laterMs: 10 * SETTLE_MS })
		t.is(verdict.verdict, 'waiting')
		t.regex(reason(verdict), expected)
	}
})

test('times ahead of the clock do not keep a proven snapshot waiting', (t) => {
	t.deepEqual(ask({ after: wholeListing(), laterMs: -5000 }), proven)
	t.is(ask({ after: listing({ files: ['nb-1-big-Data.db'] }), laterMs: -5000 }).verdict, 'waiting')
})

test('an empty folder is waited for, then left out', (t) => {
	t.is(ask({ after: listing({ files: [] }), laterMs: SETTLE_MS - 1 }).verdict, 'waiting')
	t.is(ask({ after: listing({ files: [] }), laterMs: SETTLE_MS }).verdict, 'left out')
})

test('whatever two looks find, it is settled only where they agree and nothing changed within 250 ms', (t) => {
	const looks = fc.record({
		files: fc.uniqueArray(
			fc.constantFrom(
				'nb-1-big-Data.db',
				'nb-1-big-Index.db',
				'nb-1-big-Statistics.db',
				'manifest.json',
				'schema.cql',
				'ephemeral.snapshot',
				'other',
			),
		),
		changedMs: fc.integer({ min: 0, max: 3000 }),
		manifest: fc.constantFrom<SnapshotListing['manifest']>(
			undefined,
			{ files: ['nb-1-big-Data.db'] },
			{ problem: 'cut', hopeless: false },
		),
	})
	const found = fc.oneof(looks.map(listing), fc.constant(wholeListing(undefined, { changedMs: 700 })))
	fc.assert(
		fc.property(
			found,
			fc.option(found, { nil: undefined }),
			fc.integer({ min: 0, max: 4000 }),
			(after, other, nowMs) => {
				const before = other ?? after
				const verdict = isSettled({ keyspace: 'shop', tag: 'daily', before, after, nowMs, settleMs: 1000 })
				if (verdict.verdict !== 'settled') return true
				const changedMs = Number((after.folders[0]?.mtimeNs ?? 0n) / 1_000_000n)
				const same = JSON.stringify(before, asText) === JSON.stringify({ ...after, manifest: before.manifest }, asText)
				const quietMs = nowMs - changedMs
				return same && (quietMs < 0 || quietMs >= (verdict.proof === 'quiet' ? 1000 : 250))
			},
		),
		{ numRuns: 2000 },
	)
	t.pass()
})

function asText(_: string, value: unknown): unknown {
	return typeof value === 'bigint' ? String(value) : value
}
