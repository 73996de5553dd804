import fc from 'fast-check'

/** What may befall a log, as a change of its text: cut off, two lines swapped, a sign changed, a line repeated; or nothing. */
export const mishap: fc.Arbitrary<(text: string) => string> = fc.oneof(
	fc.nat().map((at) => (text: string) => text.slice(0, at % (text.length + 1))),
	fc.tuple(fc.nat(), fc.nat()).map(
		([one, other]) =>
			(text: string) =>
				swap(text, one, other),
	),
	fc.tuple(fc.nat(), fc.constantFrom('0', '9', ',', ']', 'x', '\n', '\0')).map(
		([at, sign]) =>
			(text: string) =>
				change(text, at % (text.length + 1), sign),
	),
	fc.nat().map((at) => (text: string) => repeat(text, at)),
	fc.constant((text: string) => text),
)

function swap(text: string, one: number, other: number): string {
	const lines = text.split('\n').slice(0, -1)
	if (lines.length === 0) return text
	const [a, b] = [one % lines.length, other % lines.length]
	return lines.map((line, at) => `${(at === a ? lines[b] : at === b ? lines[a] : line) ?? ''}\n`).join('')
}

function change(text: string, at: number, sign: string): string {
	return text.slice(0, at) + sign + text.slice(at + 1)
}

function repeat(text: string, at: number): string {
	const lines = text.split('\n').slice(0, -1)
	const again = lines[at % Math.max(1, lines.length)]
	return again === undefined ? text : `${text}${again}\n`
}
