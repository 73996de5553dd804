import test from 'ava'
import fc from 'fast-check'
import { encodeName } from '../../src/files/names.ts'
import { receiptPath, safeName, snapshotFolder } from '../../src/haven/layout.ts'

const names = fc.oneof(
	fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
	fc.string({ unit: fc.constantFrom('a', 'A', '.', '~', ':', ' ', '/', '_', '\udcff'), minLength: 1, maxLength: 5 }),
	fc.string({ unit: fc.constantFrom('a', 'b', 'A'), minLength: 95, maxLength: 255 }),
)

test('two names never share a safe name, also where case is not told apart', (t) => {
	fc.assert(
		fc.property(names, names, (one, other) => {
			const same = encodeName(one).equals(encodeName(other))
			return (safeName(one).toLowerCase() === safeName(other).toLowerCase()) === same
		}),
		{ numRuns: 3000 },
	)
	t.pass()
})

test('a name’s own safe name is not another’s', (t) => {
	fc.assert(fc.property(names, (name) => safeName(name) === name || safeName(safeName(name)) !== safeName(name)))
	t.pass()
})

test('a safe name is one that any file system takes', (t) => {
	fc.assert(
		fc.property(names, (name) => /^[a-z0-9_~-][a-z0-9_.~-]{0,99}$/.test(safeName(name))),
		{ numRuns: 1000 },
	)
	t.pass()
})

for (const name of ['daily', 'daily-1', '2026-11-21', 'a.b', 'truncated-1795240454120-orders', '_', 'a'.repeat(100)]) {
	test(`${name} is safe as it is`, (t) => t.is(safeName(name), name))
}

for (const name of ['A', '.hidden', '..', 'a:b c', 'A:B C', 'a~b', 'ä', 'a'.repeat(101), 'a\n', '\udcff', 'a/b']) {
	test(`${JSON.stringify(name)} gets another`, (t) => t.regex(safeName(name), /^[a-z0-9_-]{1,60}~[0-9a-f]{16}$/))
}

test('the mirror has the node’s own names, receipts safe ones', (t) => {
	const key = { keyspace: 'Shop', table: 'Items-0123', tag: 'a:b c' }
	t.is(snapshotFolder(key), 'data/Shop/Items-0123/snapshots/a:b c')
	t.regex(receiptPath(key), /^\.snaphaven\/receipts\/shop~\w{16}\/items-0123~\w{16}\/a_b_c~3df2467efdc45cda\.json$/)
})
