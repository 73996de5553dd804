import type { Scanner } from './scanner.ts'

/** Python's flags that change what an expression means: re.IGNORECASE, MULTILINE, DOTALL, VERBOSE and ASCII. */
export interface ExpressionFlags {
	ignoreCase: boolean
	multiline: boolean
	dotAll: boolean
	verbose: boolean
	ascii: boolean
}

export const NO_FLAGS: ExpressionFlags = {
	ignoreCase: false,
	multiline: false,
	dotAll: false,
	verbose: false,
	ascii: false,
}

const LETTERS: Record<string, keyof ExpressionFlags> = {
	i: 'ignoreCase',
	m: 'multiline',
	s: 'dotAll',
	x: 'verbose',
	a: 'ascii',
}

/** Takes the letters of `(?i)` and `(?i-s:`, up to the sign after them, and changes the flags by them. */
export function takeFlags(scanner: Scanner, flags: ExpressionFlags): ExpressionFlags {
	const changed = { ...flags }
	const on = scanner.takeWhile(/[A-Za-z]/)
	for (const letter of on) setFlag(changed, letter, true, scanner)
	if (on.includes('a') && on.includes('u')) throw scanner.bad('the flags a and u exclude each other')
	if (on.includes('u')) changed.ascii = false
	if (scanner.skip('-')) {
		const off = scanner.takeWhile(/[A-Za-z]/)
		if (off === '') throw scanner.bad('after - a flag is missing')
		for (const letter of off) {
			if (/[auL]/.test(letter)) throw scanner.bad(`the flag ${letter} cannot be turned off`)
			if (on.includes(letter)) throw scanner.bad(`the flag ${letter} is turned on and off`)
			setFlag(changed, letter, false, scanner)
		}
		if (scanner.next !== ':') throw scanner.bad('after flags that are turned off, : is missing')
	}
	return changed
}

function setFlag(flags: ExpressionFlags, letter: string, value: boolean, scanner: Scanner): void {
	const name = Object.hasOwn(LETTERS, letter) ? LETTERS[letter] : undefined
	if (name !== undefined) flags[name] = value
	else if (letter === 'L') throw scanner.bad('the flag L is for bytes, not for text')
	else if (letter !== 'u') throw scanner.bad(`there is no flag ${letter}`)
}
