import { caseVariants, caseVariantsWithin } from './case.ts'
import { categoryOf, escapedCharacter, literal, octal } from './characters.ts'
import type { ExpressionFlags } from './flags.ts'
import type { Scanner } from './scanner.ts'

/** A member of a class: one character, which can begin or end a range, or a set of them. */
type Member = { codePoint: number } | { set: string }

/** Translates a class such as `[^]a-z\d]`, its opening bracket already taken. */
export function translateClass(scanner: Scanner, flags: ExpressionFlags): string {
	const opened = scanner.at - 1
	const negated = scanner.skip('^')
	let content = ''
	for (let first = true; first || scanner.next !== ']'; first = false) {
		const at = scanner.at
		const member = takeMember(scanner, flags.ascii, opened)
		if (!scanner.skip('-')) {
			content += contentOf(member, flags)
		} else if (scanner.next === ']') {
			content += contentOf(member, flags) + literal(0x2d)
		} else {
			content += range(member, takeMember(scanner, flags.ascii, opened), { at, scanner, flags })
		}
	}
	scanner.take()
	return `[${negated ? '^' : ''}${content}]`
}

function takeMember(scanner: Scanner, ascii: boolean, opened: number): Member {
	const character = scanner.take()
	if (character === '') throw scanner.bad('the class that begins with [ has no end', opened)
	if (character !== '\\') return { codePoint: character.codePointAt(0) ?? 0 }
	const letter = scanner.take()
	const set = categoryOf(letter, ascii)
	if (set !== undefined) return { set }
	if (/[0-7]/.test(letter)) return { codePoint: octal(letter + scanner.takeWhile(/[0-7]/, 2), scanner) }
	return { codePoint: escapedCharacter(letter, scanner) }
}

function contentOf(member: Member, { ignoreCase, ascii }: ExpressionFlags): string {
	if ('set' in member) return member.set
	return (ignoreCase ? caseVariants(member.codePoint, ascii) : [member.codePoint]).map(literal).join('')
}

function range(
	from: Member,
	to: Member,
	{ at, scanner, flags }: { at: number; scanner: Scanner; flags: ExpressionFlags },
): string {
	if ('set' in from || 'set' in to) throw scanner.bad('a range of a class begins or ends with a set of characters', at)
	if (from.codePoint > to.codePoint) throw scanner.bad('a range of a class ends before it begins', at)
	const itself = `${literal(from.codePoint)}-${literal(to.codePoint)}`
	if (!flags.ignoreCase) return itself
	return itself + caseVariantsWithin(from.codePoint, to.codePoint, flags.ascii).map(literal).join('')
}
