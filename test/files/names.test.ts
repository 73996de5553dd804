import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { isLongerThan } from '../../src/files/folders.ts'
import { decodeName, encodeName, pathOf } from '../../src/files/names.ts'
import { ownFolder } from '../support/folder.ts'

/** Bytes of which many are the beginning of a UTF-8 sequence, or of one that is broken off. */
const bytes = fc
	.array(fc.oneof(fc.uint8Array({ maxLength: 4 }), fc.string({ unit: 'binary', maxLength: 3 }).map(utf8)))
	.map((parts) => Buffer.concat(parts))

function utf8(text: string): Uint8Array {
	return Buffer.from(text)
}

test('any bytes come back from the name that they were decoded to', (t) => {
	fc.assert(fc.property(bytes, (name) => encodeName(decodeName(name)).equals(name)))
	t.pass()
})

test('two names are the same only if their bytes are', (t) => {
	fc.assert(fc.property(bytes, bytes, (one, other) => (decodeName(one) === decodeName(other)) === one.equals(other)))
	t.pass()
})

test('a name that is UTF-8 is that text, and goes to the system as a string', (t) => {
	fc.assert(
		fc.property(fc.string({ unit: 'grapheme' }), (name) => {
			const decoded = decodeName(Buffer.from(name))
			return decoded === name && pathOf(decoded) === name
		}),
	)
	t.pass()
})

test('a name survives JSON', (t) => {
	fc.assert(fc.property(bytes, (name) => encodeName(JSON.parse(JSON.stringify(decodeName(name)))).equals(name)))
	t.pass()
})

test('bytes that are no UTF-8 are held as Python holds them', (t) => {
	t.is(decodeName(Buffer.from([0x61, 0xff, 0x62])), 'a\udcffb')
	t.is(decodeName(Buffer.from([0xc3, 0xa4, 0x80])), 'ä\udc80')
	// An encoded surrogate is none, and neither is an overlong slash.
	t.is(decodeName(Buffer.from([0xed, 0xb2, 0x80])), '\udced\udcb2\udc80')
	t.is(decodeName(Buffer.from([0xc0, 0xaf])), '\udcc0\udcaf')
	t.is(decodeName(Buffer.from([0xf0, 0x9f, 0x98])), '\udcf0\udc9f\udc98')
})

test('a file of any name can be made, and is found under it', (t) => {
	const folder = ownFolder(t)
	const name = decodeName(Buffer.from([0x6e, 0x0a, 0x20, 0xfe, 0x22, 0xf0, 0x9f, 0x98, 0x80]))
	writeFileSync(pathOf(`${folder}/${name}`), 'x')
	t.deepEqual(readdirSync(folder, { encoding: 'buffer' }).map(decodeName), [name])
	t.is(
		execFileSync('find', [folder, '-type', 'f', '-printf', '%f'], { encoding: 'latin1' }),
		'n\n \xfe"\xf0\x9f\x98\x80',
	)
})

test("a name's length is told in bytes", (t) => {
	t.false(isLongerThan('ä'.repeat(5), 10))
	t.true(isLongerThan('ä'.repeat(5), 9))
	t.false(isLongerThan('\udcff', 1))
})
