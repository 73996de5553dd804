import { crc32 } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import type { SnapshotFile } from '../../src/cassandra/snapshot.ts'
import type { Receipt } from '../../src/haven/receipt.ts'
import { joined } from '../../src/mirror/gather-in-slices.ts'
import { type PlanOptions, planTransfers, spaceNeeded, type Transfer } from '../../src/mirror/plan.ts'
import { isGatheredWhole, SLICE_BYTES_MAX, slicesAbout, slicesOf, WHOLE_FILES_MAX } from '../../src/mirror/slices.ts'
import { file, listing } from '../cassandra-files/support/listings.ts'
import { receiptFor } from '../haven/support/havens.ts'

const MB = 1024 * 1024

/** A receipt of an earlier tag, whose files stand on the node as these. */
function earlier(tag: string, files: SnapshotFile[], damaged?: string): Receipt {
	const receipt = receiptFor(Object.fromEntries(files.map(({ path }) => [path, ''])), { tag })
	return {
		...receipt,
		files: receipt.files.map((known, at) => ({
			...known,
			size: files[at]?.size ?? 0,
			mtimeNs: String(files[at]?.mtimeNs),
			...(known.path === damaged ? { damage: 'its CRC-32 is another' } : {}),
		})),
	}
}

function plan(files: SnapshotFile[], changes: Partial<PlanOptions> = {}): string[] {
	const options = { earlier: [], canLink: true, canReflink: false, hardlink: false, sharedDevices: [], ...changes }
	return planTransfers(listing({ files }), options).map(({ how, from }) => (from ? `${how} from ${from.tag}` : how))
}

const data = file('nb-1-big-Data.db', { size: 10 * MB, mtimeNs: 1_700_000_000_123_456_789n })

test('what the haven does not have is copied', (t) => t.deepEqual(plan([data]), ['copied']))

test('a file is reused where name, size and time are those of an earlier receipt, to the ns', (t) => {
	const known = [earlier('monday', [data])]
	t.deepEqual(plan([data], { earlier: known }), ['reused from monday'])
	t.deepEqual(plan([{ ...data, ino: 99n }], { earlier: known }), ['reused from monday'])
	for (const other of [{ size: 1 }, { mtimeNs: data.mtimeNs + 1n }, { path: 'nb-2-big-Data.db' }]) {
		t.deepEqual(plan([{ ...data, ...other }], { earlier: known }), ['copied'], JSON.stringify(Object.keys(other)))
	}
})

test('a time of whole seconds, which a tool set, proves nothing without the inode', (t) => {
	const flat = { ...data, mtimeNs: 1_577_836_800_000_000_000n }
	const receipt = earlier('monday', [flat])
	const known = [{ ...receipt, files: receipt.files.map((one) => ({ ...one, ino: String(flat.ino) })) }]
	t.deepEqual(plan([flat], { earlier: known }), ['reused from monday'])
	t.deepEqual(plan([{ ...flat, ino: 99n }], { earlier: known }), ['copied'])
})

test('manifest.json, schema.cql and what is no component are never reused', (t) => {
	for (const path of ['manifest.json', 'schema.cql', 'notes.txt']) {
		const one = { ...data, path }
		t.deepEqual(plan([one], { earlier: [earlier('monday', [one])] }), ['copied'], path)
	}
})

test('what was damaged is never reused, and where the haven cannot link nothing is', (t) => {
	t.deepEqual(plan([data], { earlier: [earlier('monday', [data], data.path)] }), ['copied'])
	t.deepEqual(plan([data], { earlier: [earlier('monday', [data])], canLink: false }), ['copied'])
})

test('the receipt that was named last has the word', (t) => {
	t.deepEqual(plan([data], { earlier: [earlier('a', [data]), earlier('b', [data])] }), ['reused from b'])
})

test('--hardlink links what Cassandra never changes, where haven and node are one file system', (t) => {
	const files = ['Data.db', 'Index.db', 'TOC.txt', 'Filter.db', 'Summary.db', 'Statistics.db', 'Digest.crc32'].map(
		(component) => file(`nb-1-big-${component}`),
	)
	const linked = ['hardlinked', 'hardlinked', 'copied', 'copied', 'copied', 'copied', 'hardlinked']
	const copied = files.map(() => 'copied')
	t.deepEqual(plan(files, { hardlink: true, sharedDevices: [1n] }), linked)
	t.deepEqual(plan(files, { hardlink: true, sharedDevices: [2n] }), copied)
	t.deepEqual(plan(files, { hardlink: true, sharedDevices: [1n], canLink: false }), copied)
	t.deepEqual(plan([file('manifest.json')], { hardlink: true, sharedDevices: [1n] }), ['hardlinked'])
})

test('large files are reflinked where that can be', (t) => {
	const files = [data, file('nb-1-big-TOC.txt')]
	t.deepEqual(plan(files, { canReflink: true, sharedDevices: [1n] }), ['reflinked', 'copied'])
	t.deepEqual(plan(files, { canReflink: true, sharedDevices: [2n] }), ['copied', 'copied'])
	t.deepEqual(plan(files, { sharedDevices: [1n] }), ['copied', 'copied'])
})

test('space is asked for what takes some', (t) => {
	const needed = (how: Transfer['how']) => spaceNeeded([{ file: data, how }])
	t.true(needed('copied') > data.size)
	for (const how of ['reused', 'hardlinked', 'reflinked'] as const) t.true(needed(how) > 0 && needed(how) < MB)
})

test('what takes little is gathered whole, and nothing else: much to read, little space, round trips or flushes for many files', (t) => {
	const isWhole = (how: Transfer['how'], size: number, count: number, order = {}) => {
		const planned = Array.from({ length: count }, (_, at): Transfer => ({ file: file(`f${at}`, { size }), how }))
		const small = { budget: SLICE_BYTES_MAX, width: 1, flushEach: false, ...order }
		return isGatheredWhole({ transfers: planned, space: spaceNeeded(planned) }, small)
	}
	t.true(isWhole('copied', 4000, 1000))
	t.true(isWhole('reused', 10 * MB, 10_000))
	t.false(isWhole('reused', 10 * MB, 20_000), 'their inodes take space')
	t.false(isWhole('copied', 4000, 1000, { budget: MB }))
	t.false(isWhole('copied', 1, 1, { budget: 0 }))
	for (const how of ['copied', 'hardlinked', 'reflinked'] as const) t.false(isWhole(how, 10 * MB, 10), how)
	t.true(isWhole('copied', 4000, WHOLE_FILES_MAX, { width: 3 }))
	for (const each of [{ width: 3 }, { flushEach: true }]) t.false(isWhole('copied', 4000, WHOLE_FILES_MAX + 1, each))
})

test('a snapshot whose table had many files goes after smaller ones, though it may be gathered whole', (t) => {
	t.deepEqual([0, WHOLE_FILES_MAX, WHOLE_FILES_MAX + 1, 13_000].map(slicesAbout), [0, 0, 5, 204])
})

const transfers = fc.array(
	fc.record({
		size: fc.oneof(fc.nat(10_000), fc.nat(3 * SLICE_BYTES_MAX), fc.constantFrom(SLICE_BYTES_MAX, SLICE_BYTES_MAX + 1)),
		how: fc.constantFrom<Transfer['how']>('copied', 'reused', 'reflinked'),
		shared: fc.boolean(),
	}),
	{ maxLength: 40 },
)

test('slices carry every byte of every file once, in order, and none of them too much', (t) => {
	fc.assert(
		fc.property(transfers, fc.integer({ min: 1, max: 70 }), (sizes, filesMax) => {
			const planned = sizes.map(
				({ size, how, shared }, at): Transfer => ({
					file: file(`f${at}`, { size }),
					how,
					...(shared && how === 'reflinked' ? { shared } : {}),
				}),
			)
			const isDivided = (index: number) => planned[index]?.how === 'copied' || planned[index]?.shared === true
			const slices = slicesOf(planned, filesMax)
			const ends = planned.map(() => 0)
			const pieces = planned.map(() => 0)
			for (const slice of slices) {
				const bytes = slice.reduce((sum, { length }) => sum + length, 0)
				if (slice.length === 0 || slice.length > filesMax) return false
				if (slice.length > 1 && bytes > SLICE_BYTES_MAX) return false
				for (const { index, offset, length, whole } of slice) {
					if (offset !== ends[index] || (whole && length !== planned[index]?.file.size)) return false
					if (length > SLICE_BYTES_MAX && isDivided(index)) return false
					if (!whole && !isDivided(index)) return false
					ends[index] = offset + length
					pieces[index] = (pieces[index] ?? 0) + 1
				}
			}
			return planned.every(({ file: { size } }, at) => ends[at] === size && (pieces[at] ?? 0) >= 1)
		}),
	)
	t.pass()
})

test('the CRCs of a file’s pieces are joined to that of the whole', (t) => {
	const contents = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 }), {
		maxLength: 5,
	})
	fc.assert(
		fc.property(contents, (files) => {
			const pieces = files.flatMap((parts, index) =>
				parts.map((part, at) => ({ index, offset: at, length: part.length, whole: parts.length === 1 })),
			)
			const results = files.flat().map((part) => ({ crc: crc32(part), how: 'copied' as const }))
			const crcs = joined(pieces, results).map(({ crc }) => crc)
			return crcs.length === files.length && crcs.every((crc, at) => crc === crc32(Buffer.concat(files[at] ?? [])))
		}),
	)
	t.pass()
})
