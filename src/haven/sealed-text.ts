import { crc32 } from '../files/builtins.ts'
import { readWhole } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import type { PathLike } from '../files/names.ts'
import type { Shape } from './shapes.ts'

/**
 * A JSON text that carries a checksum of itself, as every record in `.snaphaven` does: one JSON object whose last line
 * is `"checksum":"xxxxxxxx"}`, the CRC-32 of all bytes before that line, in lower-case hex. A torn write shows.
 */
export function withChecksum(json: string): string {
	const body = `${json.slice(0, -1)},\n`
	return `${body}${KEY}${hex(crc32(body))}"}\n`
}

const KEY = '"checksum":"'
const TAIL_BYTES = KEY.length + 8 + 3

/** The text of such a record, or undefined where the checksum does not hold or there is none. */
export function checkedText(bytes: Buffer): string | undefined {
	const at = bytes.length - TAIL_BYTES
	if (at <= 0 || bytes.length > TEXT_BYTES_MAX) return undefined
	if (bytes.toString('latin1', at) !== `${KEY}${hex(crc32(bytes.subarray(0, at)))}"}\n`) return undefined
	return bytes.toString('utf8')
}

/** V8's longest string (node:buffer's constants.MAX_STRING_LENGTH). */
const TEXT_BYTES_MAX = 2 ** 29 - 24

/**
 * What such a record says; undefined where the checksum does not hold, or it is not of that shape. A checksum is soon
 * made: what stands in a record may be anybody's.
 */
export function checkedRecord<T>(bytes: Buffer, shape: Shape): T | undefined {
	const text = checkedText(bytes)
	return text === undefined ? undefined : parseAs<T>(text, shape)
}

/** What a JSON text says; undefined where it is none, or not of that shape. */
export function parseAs<T>(text: string, shape: Shape): T | undefined {
	try {
		const value: unknown = JSON.parse(text)
		return shape(value) ? (value as T) : undefined
	} catch (error) {
		if (error instanceof SyntaxError) return undefined
		throw error
	}
}

/**
 * The bytes of a record; undefined where there is none. Of what can be none (a folder, a link, a file that is far too
 * large) none: its checksum does not hold.
 */
export function* recordBytes(path: PathLike, limit: number): Io<Buffer | undefined> {
	try {
		return yield* readWhole(path, limit)
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		if (hasCode(error, 'EINVAL', 'ELOOP', 'EISDIR', 'EFBIG', 'ENXIO')) return Buffer.alloc(0)
		throw error
	}
}

/** The JSON text that `withChecksum` made such a record of. */
export function withoutChecksum(text: string): string {
	return `${text.slice(0, -TAIL_BYTES - 2)}}`
}

/** The checksum that such a text ends with. */
export function checksumOf(text: string): string {
	return text.slice(-11, -3)
}

/** A CRC-32 as eight lower-case hex digits. */
export function hex(crc: number): string {
	return crc.toString(16).padStart(8, '0')
}
