import { caseVariants } from './case.ts'
import type { ExpressionFlags } from './flags.ts'
import type { Scanner } from './scanner.ts'

/** What a set of characters is in an expression with the flag v, as the content of a class, without its brackets. */
type ClassContent = string

/** The character sets of Python's \d, \s and \w: by Unicode (str.isdecimal, isspace, isalnum), or by (?a) ASCII alone. */
const UNICODE = {
	d: String.raw`\p{Nd}`,
	s: String.raw`\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`,
	w: String.raw`\p{L}\p{N}_`,
}
const ASCII = { d: '0-9', s: String.raw`\t-\r\x20`, w: 'a-zA-Z0-9_' }

/** The set that \d, \D, \s, \S, \w or \W stands for; undefined for any other letter. */
export function categoryOf(letter: string, ascii: boolean): ClassContent | undefined {
	const sets = ascii ? ASCII : UNICODE
	switch (letter) {
		case 'd':
		case 's':
		case 'w':
			return sets[letter]
		case 'D':
			return `[^${sets.d}]`
		case 'S':
			return `[^${sets.s}]`
		case 'W':
			return `[^${sets.w}]`
		default:
			return undefined
	}
}

/** A character as it stands in an expression with the flag v, in a class and outside. */
export function literal(codePoint: number): string {
	const character = String.fromCodePoint(codePoint)
	return /^[0-9A-Za-z_]$/.test(character) ? character : `\\u{${codePoint.toString(16)}}`
}

/** A character outside of classes, in all its cases where these are ignored. */
export function literalInAnyCase(codePoint: number, { ignoreCase, ascii }: ExpressionFlags): string {
	const variants = ignoreCase ? caseVariants(codePoint, ascii) : [codePoint]
	return variants.length === 1 ? literal(codePoint) : `[${variants.map(literal).join('')}]`
}

const CONTROLS: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 }

/**
 * The character that an escape stands for, its backslash and letter already taken: \n, \x41, \u0041, \U00000041, and
 * what is no letter or digit for itself. Octal escapes and references to groups are their callers' matter.
 */
export function escapedCharacter(letter: string, scanner: Scanner): number {
	const at = scanner.at - 2
	const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined
	if (control !== undefined) return control
	if (letter === 'x') return hexadecimal(2, letter, scanner)
	if (letter === 'u') return hexadecimal(4, letter, scanner)
	if (letter === 'U') return hexadecimal(8, letter, scanner)
	if (letter === 'N') throw scanner.lacking('a character by its Unicode name, \\N{…}', at)
	if (letter === '') throw scanner.bad('a backslash ends it', scanner.at - 1)
	if (/[0-9A-Za-z]/.test(letter)) throw scanner.bad(`the escape \\${letter} means nothing here`, at)
	return letter.codePointAt(0) ?? 0
}

function hexadecimal(digits: number, letter: string, scanner: Scanner): number {
	const at = scanner.at - 2
	const text = scanner.takeWhile(/[0-9A-Fa-f]/, digits)
	const codePoint = Number.parseInt(text, 16)
	if (text.length < digits) throw scanner.bad(`\\${letter} should be followed by ${digits} hexadecimal digits`, at)
	if (codePoint > 0x10ffff) throw scanner.bad(`\\${letter}${text} is beyond the last character, U+10FFFF`, at)
	return codePoint
}

/** The character of an octal escape. */
export function octal(digits: string, scanner: Scanner): number {
	const value = Number.parseInt(digits, 8)
	if (value <= 0o377) return value
	throw scanner.bad(`the octal escape \\${digits} is beyond \\377`, scanner.at - digits.length - 1)
}
