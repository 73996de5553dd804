import { translateClass } from './character-class.ts'
import { categoryOf, escapedCharacter, literalInAnyCase, octal } from './characters.ts'
import type { Context, Piece, Place } from './context.ts'
import { translateGroup } from './group.ts'

/** A piece before it is known what stands before it; undefined for a comment, and for flags. */
export type NewPiece = Omit<Piece, 'sureBefore'> | undefined

/** Translates what comes next, up to where a quantifier could follow. first: nothing but flags stands before it. */
export function translatePiece(context: Context, place: Place, first: boolean): NewPiece {
	const { scanner } = context
	const { multiline, dotAll } = place.flags
	const character = scanner.take()
	switch (character) {
		case '.':
			return item(dotAll ? '[^]' : String.raw`[^\n]`)
		case '^':
			return position(multiline ? String.raw`(?<![^\n])` : '^')
		case '$':
			return position(multiline ? String.raw`(?![^\n])` : String.raw`(?=\n?$)`)
		case '[':
			return item(translateClass(scanner, place.flags))
		case '(':
			return translateGroup(context, place, first)
		case '\\':
			return translateEscape(context, place)
		default:
			return item(literalInAnyCase(character.codePointAt(0) ?? 0, place.flags))
	}
}

function item(code: string, empty = false): NewPiece {
	return { code, kind: 'item', empty }
}

function position(code: string): NewPiece {
	return { code, kind: 'position', empty: true }
}

function translateEscape(context: Context, place: Place): NewPiece {
	const { scanner } = context
	const letter = scanner.take()
	const set = categoryOf(letter, place.flags.ascii)
	if (set !== undefined) return item(`[${set}]`)
	if (letter === 'A') return position('^')
	if (letter === 'Z') return position('$')
	if (letter === 'b' || letter === 'B') return position(wordBoundary(letter === 'b', place.flags.ascii))
	if (letter === '0') return item(literalInAnyCase(octal(letter + scanner.takeWhile(/[0-7]/, 2), scanner), place.flags))
	if (/[1-9]/.test(letter)) return item(octalOrReference(letter, context, place), true)
	return item(literalInAnyCase(escapedCharacter(letter, scanner), place.flags))
}

/** JavaScript's own \b knows ASCII alone. */
function wordBoundary(is: boolean, ascii: boolean): string {
	const word = `[${categoryOf('w', ascii)}]`
	const [atEnd, atStart] = is ? ['!', '='] : ['=', '!']
	return `(?:(?<=${word})(?${atEnd}${word})|(?<!${word})(?${atStart}${word}))`
}

/** \101 is a character, \1 and \10 are groups. */
function octalOrReference(first: string, { scanner, groups }: Context, place: Place): string {
	const at = scanner.at - 2
	const digits = first + scanner.takeWhile(/[0-9]/, 1)
	if (/^[0-7]{2}$/.test(digits) && /[0-7]/.test(scanner.next))
		return literalInAnyCase(octal(digits + scanner.take(), scanner), place.flags)
	return groups.refer(Number(digits), { at, scanner, place })
}
