/** What a terminal could take for a command, or a reader for something else: control and format characters, line ends. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const SHORT_ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Text that may hold names from a disk, safe to be printed in one line: control and format characters are escaped, and
 * so are the bytes that are no UTF-8 (held as U+DC80…U+DCFF, PEP 383), as `\x80`.
 */
export function printable(text: string): string {
	return text.replaceAll(UNPRINTABLE, escapeCharacter)
}

function escapeCharacter(character: string): string {
	const code = character.codePointAt(0) ?? 0
	if (code >= 0xdc80 && code <= 0xdcff) return `\\x${hex(code - 0xdc00, 2)}`
	if (code <= 0xff) return SHORT_ESCAPES[character] ?? `\\x${hex(code, 2)}`
	return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`
}

/** A name within a sentence: in quotes where it has spaces or the like, which would hide its end. */
export function quoted(name: string): string {
	return /^[^\s\p{C}"'`]+$/u.test(name) ? name : `"${printable(name)}"`
}

/**
 * One line of JSON. What printable() escapes stands as JSON's own escapes, lone surrogates too: Python's json.loads and
 * os.fsencode give the very bytes of such a name back.
 */
export function jsonLine(value: unknown): string {
	return escapeJson(JSON.stringify(value))
}

/** JSON text in one line, with what printable() escapes as JSON's own escapes. */
export function escapeJson(json: string): string {
	return json.replaceAll(UNPRINTABLE, (character) =>
		Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
	)
}

function hex(code: number, digits: number): string {
	return code.toString(16).padStart(digits, '0')
}
