import test from 'ava'
import fc from 'fast-check'
import type { LiveFolder, LiveListing } from '../../src/cassandra/live-listing.ts'
import { findLive, type SSTableState } from '../../src/cassandra/live-sstables.ts'
import { type OnDisk, startCassandra } from './support/cassandra-start.ts'
import { mishap } from './support/log-mishaps.ts'
import { lineOf, type MadeRecord, textOf } from './support/transaction-logs.ts'

const TABLE = 'orders-00000000000000000000000000000001'
const TIME = 1_795_240_454_120
const LOG = 'bti-da_txn_compaction_a5c2f160-e58a-11f1-ba75-8140cf8cdd6e.log'
const COMPONENTS = [
	'Data.db',
	'Statistics.db',
	'Partitions.db',
	'Rows.db',
	'CompressionInfo.db',
	'Filter.db',
	'Digest.crc32',
	'TOC.txt',
]

/** An SSTable as a test has it on disk. */
interface Made {
	prefix: string
	directory?: number
	/** ms since the epoch of all its files. */
	time?: number
	components?: string[]
}

const OWNER = { mode: 0o644, uid: 0, gid: 0 }
const own = { ino: 1n, mtimeNs: 1n, ...OWNER }

/** A listing, with replicas of logs by data directory. */
function listingOf(sstables: Made[], logs: Record<string, string>[] = [], path = ''): LiveListing {
	const folders = [0, 1].map((directory): LiveFolder => {
		const here = sstables.filter((one) => (one.directory ?? 0) === directory)
		const files = here.flatMap(({ prefix, time = TIME, components = COMPONENTS }) =>
			components.map((component) => fileOf(prefix + component, time)),
		)
		return { directory, path, own, files, logs: new Map(Object.entries(logs[directory] ?? {})), tocs: new Map() }
	})
	return { table: TABLE, dataDirectories: ['/d0', '/d1'], parents: [], folders }
}

function fileOf(name: string, time: number) {
	return { name, size: 10, mtimeNs: BigInt(time) * 1_000_000n, ino: 1n, dev: 1n, isFile: true, ...OWNER }
}

function statesOf(listing: LiveListing): Record<string, SSTableState> {
	return Object.fromEntries(findLive(listing).sstables.map(({ prefix, state }) => [prefix, state]))
}

/** Where the node sees an SSTable, which is not where we do. */
const onNode = (prefix: string) => `/var/lib/cassandra/data/shop/${TABLE}/${prefix}`
const add = (prefix: string): MadeRecord => ({ type: 'ADD', path: onNode(prefix), files: 8 })
const remove = (prefix: string): MadeRecord => ({ type: 'REMOVE', path: onNode(prefix), time: TIME, files: 8 })

const before = [{ prefix: 'da-1-bti-' }, { prefix: 'da-2-bti-', directory: 1 }, { prefix: 'da-3-bti-' }]
const compacted = [add('da-3-bti-'), remove('da-1-bti-'), remove('da-2-bti-')]
const ended = (...end: MadeRecord[]) => textOf([...compacted, ...end])
const states = (one: SSTableState, two: SSTableState, three: SSTableState) => ({
	'da-1-bti-': one,
	'da-2-bti-': two,
	'da-3-bti-': three,
})

test('what no log names is live, with all its files, in whichever data directory it is', (t) => {
	const found = findLive(listingOf(before))
	t.deepEqual(
		found.sstables.map(({ prefix, directory, state, files }) => [prefix, directory, state, files.length]),
		[
			['da-1-bti-', 0, 'live', 8],
			['da-2-bti-', 1, 'live', 8],
			['da-3-bti-', 0, 'live', 8],
		],
	)
})

test('until a compaction is committed its new SSTables are temporary and the old ones live; then the other way round', (t) => {
	const before3 = states('live', 'live', 'temporary')
	t.deepEqual(statesOf(listingOf(before, [{ [LOG]: textOf([add('da-3-bti-')]) }])), before3)
	t.deepEqual(statesOf(listingOf(before, [{ [LOG]: ended() }])), before3)
	t.deepEqual(statesOf(listingOf(before, [{ [LOG]: ended({ type: 'ABORT' }) }])), before3)
	t.deepEqual(
		statesOf(listingOf(before, [{ [LOG]: ended({ type: 'COMMIT' }) }])),
		states('obsolete', 'obsolete', 'live'),
	)
})

test('a log in one data directory tells of the SSTables of all', (t) => {
	const committed = { [LOG]: ended({ type: 'COMMIT' }) }
	t.deepEqual(statesOf(listingOf(before, [{}, committed])), states('obsolete', 'obsolete', 'live'))
	const late = listingOf(before, [{ [LOG]: ended() }, committed])
	t.deepEqual(statesOf(late), states('obsolete', 'obsolete', 'live'))
})

test('a log of the table says nothing of an index’s SSTable of the same name, nor the other way round', (t) => {
	const table = listingOf(before, [{ [LOG]: ended() }])
	const index = listingOf([{ prefix: 'da-3-bti-' }], [], '.orders_customer')
	t.like(statesOf({ ...table, folders: [...table.folders, ...index.folders] }), {
		'da-3-bti-': 'temporary',
		'.orders_customer/da-3-bti-': 'live',
	})
	const named = listingOf(
		[{ prefix: 'da-3-bti-' }],
		[{ [LOG]: textOf([add('.orders_customer/da-3-bti-')]) }],
		'.orders_customer',
	)
	const both = statesOf({ ...named, folders: [...named.folders, ...listingOf(before).folders] })
	t.like(both, { '.orders_customer/da-3-bti-': 'temporary', 'da-3-bti-': 'live' })
})

test('where the node sees the table’s folder by another name, the log’s own folder counts', (t) => {
	const path = '/mnt/fast/orders/da-3-bti-'
	const text = textOf([{ type: 'ADD', path, files: 8 }])
	t.deepEqual(statesOf(listingOf(before, [{ [LOG]: text }])), states('live', 'live', 'temporary'))
})

test('an empty log says nothing yet', (t) => {
	const found = findLive(listingOf(before, [{ [LOG]: '' }]))
	t.true(found.sstables.every(({ state }) => state === 'live'))
	t.like(found.logs[0], { name: LOG, state: 'empty', problem: undefined })
})

test('while the end of a log is being written, it has not ended', (t) => {
	const end = lineOf({ type: 'COMMIT' })
	for (let length = 1; length < end.length; length++) {
		const listing = listingOf(before, [{ [LOG]: ended() + end.slice(0, length) }])
		t.deepEqual(statesOf(listing), states('live', 'live', 'temporary'), end.slice(0, length))
	}
})

test('a last line that may name any SSTable leaves in doubt those that no other line names', (t) => {
	const torn = textOf([add('da-3-bti-')]) + lineOf(add('da-2-bti-')).slice(0, -4)
	t.deepEqual(statesOf(listingOf(before, [{ [LOG]: torn }])), states('unknown', 'unknown', 'temporary'))
})

test('of a damaged log nothing is acted on, and what it may name is not known', (t) => {
	const damaged = ended({ type: 'COMMIT' }).replace('[0', '[1').replace(',8][', ',9][')
	const found = findLive(listingOf([...before, { prefix: 'da-9-bti-' }], [{ [LOG]: damaged }]))
	t.deepEqual(new Set(found.sstables.map(({ state }) => state)), new Set(['unknown']))
	t.is(found.logs[0]?.state, 'damaged')
	t.regex(found.sstables[0]?.reason ?? '', /line 1 is no record/)
})

test('another log says nothing less because one is damaged', (t) => {
	const other = LOG.replace('a5c2', 'ffff')
	const logs = [{ [LOG]: 'rubbish\nrubbish\n', [other]: ended({ type: 'COMMIT' }) }]
	t.deepEqual(statesOf(listingOf(before, logs)), states('obsolete', 'obsolete', 'unknown'))
})

test('files that somebody put back after they were replaced are not obsolete', (t) => {
	const [one, ...others] = before
	const copied = [{ ...one, prefix: 'da-1-bti-', time: TIME + 60_000 }, ...others]
	const found = findLive(listingOf(copied, [{ [LOG]: ended({ type: 'COMMIT' }) }]))
	t.deepEqual(
		found.sstables.map(({ state }) => state),
		['unknown', 'unknown', 'live'],
	)
	t.is(found.logs[0]?.problem, 'the files of da-1-bti have another time than it says')
})

test('an obsolete SSTable stays so while its files are deleted', (t) => {
	const [one, ...others] = before
	for (let gone = 0; gone < COMPONENTS.length; gone++) {
		const half = [{ ...one, prefix: 'da-1-bti-', components: COMPONENTS.slice(gone) }, ...others]
		t.is(statesOf(listingOf(half, [{ [LOG]: ended({ type: 'COMMIT' }) }]))['da-1-bti-'], 'obsolete')
		// Before the end nothing is deleted: so it is a later state than the log's.
		const running = statesOf(listingOf(half, [{ [LOG]: ended() }]))
		t.is(running['da-1-bti-'], gone === 0 ? 'live' : 'unknown')
	}
})

test('a commit that is torn in one replica replaces nothing whose files are not all there', (t) => {
	const logs = [{ [LOG]: ended({ type: 'COMMIT' }) }, { [LOG]: ended() + lineOf({ type: 'COMMIT' }).slice(0, -3) }]
	t.deepEqual(statesOf(listingOf(before, logs)), states('obsolete', 'obsolete', 'live'))
	const [one, ...others] = before
	const half = [{ ...one, prefix: 'da-1-bti-', components: COMPONENTS.slice(1) }, ...others]
	t.deepEqual(statesOf(listingOf(half, logs)), states('unknown', 'unknown', 'live'))
	t.deepEqual(Object.values(statesOf(listingOf(others, logs))), ['unknown', 'live'])
})

test('an SSTable without what it needs to load is incomplete, and says what it lacks', (t) => {
	for (const lost of ['Data.db', 'Statistics.db', 'Partitions.db', 'Rows.db']) {
		const components = COMPONENTS.filter((one) => one !== lost)
		const [found] = findLive(listingOf([{ prefix: 'da-1-bti-', components }])).sstables
		t.like(found, { state: 'incomplete', reason: `it has no ${lost}` })
	}
	for (const lost of ['Filter.db', 'Digest.crc32', 'TOC.txt']) {
		const components = COMPONENTS.filter((one) => one !== lost)
		t.is(statesOf(listingOf([{ prefix: 'da-1-bti-', components }]))['da-1-bti-'], 'live')
	}
	t.is(statesOf(listingOf([{ prefix: 'nb-1-big-', components: COMPONENTS }]))['nb-1-big-'], 'incomplete')
})

test('a compressed SSTable without its CompressionInfo.db is incomplete, as its TOC.txt tells', (t) => {
	const components = COMPONENTS.filter((one) => one !== 'CompressionInfo.db')
	const listing = listingOf([{ prefix: 'da-1-bti-', components }])
	t.is(statesOf(listing)['da-1-bti-'], 'live')
	listing.folders[0]?.tocs.set('da-1-bti-TOC.txt', COMPONENTS.join('\n'))
	t.is(statesOf(listing)['da-1-bti-'], 'incomplete')
})

test('a component that is a link or a folder makes its SSTable incomplete', (t) => {
	const listing = listingOf([{ prefix: 'da-1-bti-' }])
	const [file] = listing.folders[0]?.files ?? []
	if (file) file.isFile = false
	t.is(statesOf(listing)['da-1-bti-'], 'incomplete')
})

test('an SSTable of one name in two data directories is live in both, unless a log names one of them', (t) => {
	const twice = [{ prefix: 'da-3-bti-' }, { prefix: 'da-3-bti-', directory: 1 }]
	const of = (listing: LiveListing) => findLive(listing).sstables.map(({ state }) => state)
	t.deepEqual(of(listingOf(twice)), ['live', 'live'])
	t.deepEqual(of(listingOf(twice, [{ [LOG]: ended() }])), ['unknown', 'unknown'])
})

test('before Cassandra 3.0 the name alone said what was temporary', (t) => {
	const components = ['Data.db', 'Index.db', 'Statistics.db']
	const old = ['shop-orders-ka-1-', 'shop-orders-tmp-ka-2-', 'shop-orders-tmplink-ka-3-']
	const listing = listingOf(old.map((prefix) => ({ prefix, components })))
	t.deepEqual(Object.values(statesOf(listing)), ['live', 'temporary', 'temporary'])
})

const disk = fc.array(
	fc.record({
		there: fc.constantFrom(8, 8, 8, 8, 8, 8, 8, 5, 0),
		directory: fc.constantFrom(0, 1),
		isOfTime: fc.constantFrom(true, true, true, true, true, true, true, true, false),
	}),
	{ minLength: 6, maxLength: 6 },
)
const ids = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 5 })
const log = fc.record({
	named: ids,
	added: fc.nat({ max: 2 }),
	end: fc.constantFrom([], [{ type: 'COMMIT' } as const], [{ type: 'ABORT' } as const]),
	replicas: fc.array(fc.tuple(fc.constantFrom(0, 1), mishap), { minLength: 1, maxLength: 2 }),
	isWhole: fc.constantFrom(true, true, false),
})

test('a starting Cassandra deletes nothing that is called live, and all that is called obsolete', (t) => {
	const seen: Record<string, number> = {}
	let inOrder = 0
	fc.assert(
		fc.property(disk, fc.array(log, { maxLength: 3 }), (made, logs) => {
			const prefixOf = (id: number) => `da-${id}-bti-`
			const onDisk = new Map<string, OnDisk>()
			const sstables = made.flatMap(({ there, directory, isOfTime }, id): Made[] => {
				if (there === 0) return []
				const time = isOfTime ? TIME : TIME + 5000
				onDisk.set(onNode(prefixOf(id)), { files: there, time })
				return [{ prefix: prefixOf(id), directory, time, components: COMPONENTS.slice(-there) }]
			})
			const texts = new Map<string, string[]>()
			const folders: Record<string, string>[] = [{}, {}]
			for (const [at, { named, added, end, replicas, isWhole }] of logs.entries()) {
				const name = LOG.replace('a5c2', `000${at}`)
				const records = named.map((id, index) => (index < added ? add(prefixOf(id)) : remove(prefixOf(id))))
				const text = textOf([...records, ...end])
				for (const [directory, befall] of replicas) {
					const folder = folders[directory]
					if (folder) folder[name] = isWhole ? text : befall(text)
				}
				texts.set(
					name,
					folders.flatMap((folder) => (folder[name] === undefined ? [] : [folder[name]])),
				)
			}
			const { deleted, refused } = startCassandra(onDisk, texts)
			const found = findLive(listingOf(sstables, folders))
			for (const { prefix, state, reason } of found.sstables) {
				seen[state] = (seen[state] ?? 0) + 1
				const goes = deleted.has(onNode(prefix))
				const scene = () => JSON.stringify({ prefix, state, reason, made, texts: [...texts] })
				if (state === 'live') t.false(goes, scene())
				if (state === 'obsolete') t.true(goes, scene())
				if (state === 'temporary' && refused.size === 0) t.true(goes, scene())
			}
			// Where all is in order, nothing is left unknown.
			if (logs.some(({ isWhole }) => !isWhole) || made.some(({ there, isOfTime }) => there === 5 || !isOfTime)) return
			if (logs.length > 0) inOrder++
			for (const { prefix, state } of found.sstables) t.is(state === 'live', !deleted.has(onNode(prefix)))
		}),
		{ numRuns: 2000 },
	)
	t.true(inOrder > 5, `${inOrder} in order`)
	for (const state of ['live', 'temporary', 'obsolete', 'incomplete', 'unknown']) {
		t.true((seen[state] ?? 0) > 50, `${state}: ${seen[state]}`)
	}
})
