/**
 * The CRC-32 of two pieces one after the other, from the CRC-32 of each and the second's length in bytes: zlib's
 * crc32_combine. Appending n zero bytes is a linear map over GF(2); it is applied by repeated squaring.
 */
export function combineCrc32(first: number, second: number, secondLength: number): number {
	if (secondLength <= 0) return first
	let odd = oneZeroBit()
	let even = square(odd)
	odd = square(even)
	let crc = first
	for (let left = secondLength; left > 0; ) {
		even = square(odd)
		if (left % 2 === 1) crc = times(even, crc)
		left = Math.floor(left / 2)
		if (left === 0) break
		odd = square(even)
		if (left % 2 === 1) crc = times(odd, crc)
		left = Math.floor(left / 2)
	}
	return (crc ^ second) >>> 0
}

/** A 32 × 32 matrix over GF(2), a column a word. */
type Matrix = Uint32Array

/** CRC-32's polynomial, reflected (ISO 3309). */
const POLYNOMIAL = 0xedb88320

function oneZeroBit(): Matrix {
	return Uint32Array.from({ length: 32 }, (_, bit) => (bit === 0 ? POLYNOMIAL : 2 ** (bit - 1)))
}

function times(matrix: Matrix, vector: number): number {
	let sum = 0
	for (let bit = 0, rest = vector; rest !== 0; bit++, rest >>>= 1) if (rest & 1) sum ^= matrix[bit] ?? 0
	return sum >>> 0
}

function square(matrix: Matrix): Matrix {
	return matrix.map((column) => times(matrix, column))
}
