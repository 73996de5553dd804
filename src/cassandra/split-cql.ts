/** What in a CQL text is no code: comments, strings, quoted names and function bodies (`$$ … $$`). */
const OPAQUE = /--[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$/y

/** Takes a CQL text apart into its statements, each with its semicolon, without what is commented out between them. */
export function splitCql(text: string): string[] {
	const statements: string[] = []
	let statement = ''
	for (let at = 0; at < text.length; ) {
		OPAQUE.lastIndex = at
		const [opaque] = OPAQUE.exec(text) ?? []
		if (opaque !== undefined) {
			at += opaque.length
			if (!/^(--|\/\/|\/\*)/.test(opaque)) statement += opaque
			continue
		}
		const sign = text[at++]
		statement += sign
		if (sign !== ';') continue
		statements.push(statement.trim())
		statement = ''
	}
	if (statement.trim() !== '') statements.push(statement.trim())
	return statements
}

/** Divides a text at the commas that stand in no bracket, string or quoted name. */
export function splitList(text: string): string[] {
	const items: string[] = []
	let item = ''
	let depth = 0
	for (let at = 0; at < text.length; ) {
		OPAQUE.lastIndex = at
		const [opaque] = OPAQUE.exec(text) ?? []
		if (opaque !== undefined) {
			at += opaque.length
			item += opaque
			continue
		}
		const sign = text[at++] ?? ''
		if ('(<[{'.includes(sign)) depth++
		if (')>]}'.includes(sign)) depth--
		if (sign === ',' && depth === 0) {
			items.push(item.trim())
			item = ''
		} else item += sign
	}
	return item.trim() === '' ? items : [...items, item.trim()]
}

/** What stands in the first brackets of a text, and what comes after them; undefined where there are none. */
export function inBrackets(text: string): { inside: string; rest: string } | undefined {
	const begin = text.indexOf('(')
	if (begin === -1) return undefined
	let depth = 0
	for (let at = begin; at < text.length; ) {
		OPAQUE.lastIndex = at
		const [opaque] = OPAQUE.exec(text) ?? []
		if (opaque !== undefined) {
			at += opaque.length
			continue
		}
		if (text[at] === '(') depth++
		if (text[at] === ')' && --depth === 0) return { inside: text.slice(begin + 1, at), rest: text.slice(at + 1) }
		at++
	}
	return undefined
}
