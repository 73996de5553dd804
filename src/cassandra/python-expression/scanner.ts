/** Why an expression is refused: Python itself would (`bad`), or it has what JavaScript has no equal for (`lacking`). */
export class ExpressionError extends Error {
	readonly kind: 'bad' | 'lacking'
	/** Where in the expression, in characters from 0. */
	readonly at: number

	constructor(kind: 'bad' | 'lacking', message: string, at: number) {
		super(message)
		this.kind = kind
		this.at = at
	}
}

/** Reads an expression character by character (code points, as Python counts them). */
export class Scanner {
	readonly #characters: string[]
	at = 0

	constructor(source: string) {
		this.#characters = Array.from(source)
	}

	/** The next character, '' at the end. */
	get next(): string {
		return this.#characters[this.at] ?? ''
	}

	/** Takes the next character, '' at the end. */
	take(): string {
		const character = this.next
		if (character !== '') this.at++
		return character
	}

	/** Takes this text if it comes next. */
	skip(text: string): boolean {
		const found = this.#characters.slice(this.at, this.at + text.length).join('') === text
		if (found) this.at += text.length
		return found
	}

	/** Takes characters as long as they match, at most `limit`. */
	takeWhile(matches: RegExp, limit = Number.POSITIVE_INFINITY): string {
		let taken = ''
		while (taken.length < limit && this.next !== '' && matches.test(this.next)) taken += this.take()
		return taken
	}

	/** Takes everything up to the first of this character, and that as well; undefined where it does not come. */
	takeUntil(end: string): string | undefined {
		const found = this.#characters.indexOf(end, this.at)
		if (found === -1) return undefined
		const taken = this.#characters.slice(this.at, found).join('')
		this.at = found + 1
		return taken
	}

	bad(message: string, at = this.at): ExpressionError {
		return new ExpressionError('bad', message, at)
	}

	lacking(message: string, at = this.at): ExpressionError {
		return new ExpressionError('lacking', message, at)
	}
}
