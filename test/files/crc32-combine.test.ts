import { crc32 } from 'node:zlib'
import test from 'ava'
import fc from 'fast-check'
import { combineCrc32 } from '../../src/files/crc32-combine.ts'

const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 })

test('the CRCs of any pieces, combined in order, are the CRC of the whole', (t) => {
	fc.assert(
		fc.property(pieces, (parts) => {
			const combined = parts.reduce((crc, part) => combineCrc32(crc, crc32(part), part.length), 0)
			return combined === crc32(Buffer.concat(parts))
		}),
	)
	t.pass()
})

test('lengths of which every bit counts are combined too', (t) => {
	for (const length of [1, 2, 255, 256, 65_535, 65_536, 1_048_575, 3_000_001]) {
		const second = Buffer.alloc(length, 7)
		t.is(combineCrc32(crc32('first'), crc32(second), length), crc32(second, crc32('first')), String(length))
	}
})

test('a piece of more than 4 GiB is combined: appending zeros in two steps is appending them in one', (t) => {
	const zeros = (count: number) => combineCrc32(0xdeadbeef, 0, count)
	t.is(zeros(2 ** 33 + 5), combineCrc32(zeros(2 ** 33), 0, 5))
	t.is(zeros(2 ** 33), combineCrc32(zeros(2 ** 32), 0, 2 ** 32))
	t.not(zeros(2 ** 33), zeros(1))
})
