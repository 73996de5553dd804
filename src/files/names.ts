import { Buffer, isUtf8 } from 'node:buffer'

/**
 * A file's name in memory. Names on Linux are bytes; those that are no UTF-8 are held as Python holds them (PEP 383,
 * "surrogateescape"): each byte that does not decode as a lone surrogate U+DC80…U+DCFF. JSON writes these as escapes,
 * and a reader in Python gets the very bytes back by os.fsencode.
 */
export type Name = string

/** What Node's functions take as a path. */
export type PathLike = string | Buffer

/** The name that these bytes are. */
export function decodeName(bytes: Buffer): Name {
	if (isUtf8(bytes)) return bytes.toString('utf8')
	let name = ''
	for (let at = 0; at < bytes.length; ) {
		const length = sequenceLength(bytes, at)
		if (length === 0) name += String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
		else name += bytes.toString('utf8', at, at + length)
		at += length || 1
	}
	return name
}

/** The path as Node's functions must get it: the string, or the bytes where it has some that are no UTF-8. */
export function pathOf(name: Name): PathLike {
	return name.isWellFormed() ? name : encodeName(name)
}

/** The bytes of a name: the inverse of decodeName. */
export function encodeName(name: Name): Buffer {
	if (name.isWellFormed()) return Buffer.from(name, 'utf8')
	const parts: Buffer[] = []
	for (const character of name) {
		const code = character.codePointAt(0) ?? 0
		parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character, 'utf8'))
	}
	return Buffer.concat(parts)
}

/** The length of the UTF-8 sequence at this place, 0 where none is. */
function sequenceLength(bytes: Buffer, at: number): number {
	for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
		if (isUtf8(bytes.subarray(at, at + length))) return length
	}
	return 0
}
