import test from 'ava'
import { LIVE } from '../../src/haven/layout.ts'
import type { Transfer } from '../../src/mirror/plan.ts'
import { findDamage, findMissing, isProof, unprovenDigests } from '../../src/mirror/proof.ts'
import { markTexts } from '../../src/mirror/read-texts.ts'

const data = (crc: number, prefix = 'nb-1-big-') => ({ path: `${prefix}Data.db`, crc })
const digest = (text: string, prefix = 'nb-1-big-') => ({ path: `${prefix}Digest.crc32`, crc: 0, text })

for (const text of ['123', '123\n', ' 123 ', '0000000123']) {
	test(`a Data.db whose CRC-32 is as Digest.crc32 says (${JSON.stringify(text)}) is undamaged`, (t) =>
		t.deepEqual(findDamage([data(123), digest(text)]), []))
}

test('a Data.db of which Digest.crc32 says otherwise is damaged, by both numbers', (t) => {
	t.deepEqual(findDamage([digest('4294967295'), data(0)]), [
		{ path: 'nb-1-big-Data.db', reason: 'its CRC-32 is 0, and Digest.crc32 says 4294967295' },
	])
})

for (const text of ['', 'abc', '-1', '1.5', '12345678901', '1 2', '0x12', '1'.repeat(300_000)]) {
	test(`a Digest.crc32 that holds ${JSON.stringify(text.slice(0, 20))} is damaged itself`, (t) => {
		const damage = findDamage([data(123), digest(text)])
		t.deepEqual(
			damage.map(({ path }) => path),
			['nb-1-big-Digest.crc32'],
		)
		t.true((damage[0]?.reason.length ?? 0) < 150)
	})
}

test('each SSTable is held against its own digest, an index’s too', (t) => {
	const files = [
		...[data(1), digest('1')],
		...[data(2, 'nb-2-big-'), digest('1', 'nb-2-big-')],
		...[data(3, '.idx/nb-1-big-'), digest('3', '.idx/nb-1-big-')],
	]
	t.deepEqual(
		findDamage(files).map(({ path }) => path),
		['nb-2-big-Data.db'],
	)
	t.deepEqual(findDamage([digest('1')]), [], 'without its Data.db a digest says nothing')
	t.deepEqual(findDamage([data(1)]), [], 'without a digest nothing is known')
})

test('a compressed SSTable without its CompressionInfo.db is missed, another component is not', (t) => {
	const toc = { path: 'nb-1-big-TOC.txt', crc: 0, text: 'Data.db\nCompressionInfo.db\nSAI+aa+late+Meta.db\n' }
	t.is(findMissing([data(1), toc]), 'nb-1-big-CompressionInfo.db')
	t.is(findMissing([data(1), toc, { path: 'nb-1-big-CompressionInfo.db', crc: 0 }]), undefined)
	t.is(findMissing([toc]), undefined)
	t.is(findMissing([data(1), { ...toc, text: 'Data.db\n' }]), undefined)
})

test('only digests and tables of contents are read for proof', (t) => {
	t.deepEqual(
		['nb-1-big-Digest.crc32', '.i/da-1-bti-TOC.txt', 'nb-1-big-Data.db', 'manifest.json', 'Digest.crc32'].map(isProof),
		[true, true, false, false, false],
	)
})

const shared = (path: string, tag = 'monday') => ({ path, how: 'reused' as const, from: { tag } })
const [sharedData, sharedDigest, sharedToc] = ['Data.db', 'Digest.crc32', 'TOC.txt'].map((name) => `nb-1-big-${name}`)

test('what was sealed together is not read again for proof', (t) => {
	const compressed = shared('nb-1-big-CompressionInfo.db')
	t.deepEqual(
		unprovenDigests([sharedData, sharedDigest, sharedToc].map((path = '') => shared(path)).concat(compressed)),
		[],
	)
})

test('a digest that is shared without its Data.db is read for proof, one of a live set as well', (t) => {
	const [data = '', digest = ''] = [sharedData, sharedDigest]
	const copied = { path: data, how: 'copied' as const }
	t.deepEqual(unprovenDigests([copied, shared(digest)]), [digest])
	t.deepEqual(unprovenDigests([shared(data, 'sunday'), shared(digest)]), [digest])
	t.deepEqual(unprovenDigests([shared(digest)]), [digest])
	t.deepEqual(unprovenDigests([shared(data, LIVE), shared(digest, LIVE)]), [digest])
	t.deepEqual(unprovenDigests([shared(data), { path: digest, how: 'copied' }]), [])
})

test('what is shared is read for a snapshot where a proof is still due, and for a live set where it is a digest', (t) => {
	const transfers = [sharedData, sharedDigest, sharedToc].map((path = ''): Transfer => {
		const known = { path, size: 1, mtimeNs: '1', mode: 0, uid: 0, gid: 0, ino: '1', crc32: '00000000', readAt: '' }
		const file = { ...known, mtimeNs: 1n, ino: 1n, dev: 1n, directory: 0 } as unknown as Transfer['file']
		return {
			file,
			how: 'reused',
			from: { tag: path === sharedDigest ? 'sunday' : 'monday', known: { ...known, how: 'copied' } },
		}
	})
	const read = (what: 'snapshot' | 'live set') =>
		markTexts(transfers, what).flatMap((one) => (one.read ? [one.file.path] : []))
	t.deepEqual(read('snapshot'), [sharedDigest, sharedToc])
	t.deepEqual(read('live set'), [sharedDigest])
	const compressed = {
		...(transfers[0] as Transfer),
		file: { ...transfers[0]?.file, path: 'nb-1-big-CompressionInfo.db' },
	}
	const all = markTexts([...transfers, compressed as Transfer], 'snapshot')
	t.deepEqual(
		all.flatMap((one) => (one.read ? [one.file.path] : [])),
		[sharedDigest],
	)
})
