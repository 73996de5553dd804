/** A command line up to the cursor. */
export interface TypedLine {
	/** The words before the one that the cursor is in, the command's own name left out. */
	words: string[]
	/** What there is of the word that the cursor is in. */
	current: string
	/** The quote that it is in. */
	quote: '' | "'" | '"'
}

/** Divides a line as bash does, up to the cursor at its end; expansions are left as they stand. */
export function splitTyped(line: string): TypedLine {
	const words: string[] = []
	let current = ''
	let isWord = false
	let quote: TypedLine['quote'] = ''
	for (let at = 0; at < line.length; at++) {
		const sign = line[at] ?? ''
		if (quote === '' && /\s/.test(sign)) {
			if (isWord) words.push(current)
			current = ''
			isWord = false
			continue
		}
		isWord = true
		if (sign === '\\' && quote !== "'") current += line[++at] ?? ''
		else if (quote === '' && (sign === "'" || sign === '"')) quote = sign
		else if (sign === quote) quote = ''
		else current += sign
	}
	return { words: words.slice(1), current, quote }
}

/**
 * Candidates as bash's readline takes them: quoted as the word is that they complete, without what stands before the last
 * sign that divides words for it (COMP_WORDBREAKS) but none for the shell.
 */
export function forBash(
	candidates: string[],
	{ current, quote }: Pick<TypedLine, 'current' | 'quote'>,
	breaks: string,
): string[] {
	if (quote !== '') return candidates.filter((one) => !one.includes(quote))
	const cut =
		Math.max(...[':', '=', '@'].filter((sign) => breaks.includes(sign)).map((sign) => current.lastIndexOf(sign)), -1) +
		1
	return candidates.map((one) => one.slice(cut).replace(/[^\p{L}\p{N}_@%+=:,./-]/gu, '\\$&'))
}
