import { crc32 } from '../files/builtins.ts'

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
	if (at <= 0) return undefined
	if (bytes.toString('latin1', at) !== `${KEY}${hex(crc32(bytes.subarray(0, at)))}"}\n`) return undefined
	return bytes.toString('utf8')
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
