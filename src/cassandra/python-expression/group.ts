import { atomically, type Content, type Context, type Place } from './context.ts'
import { takeFlags } from './flags.ts'
import type { NewPiece } from './piece.ts'

/** Translates a group, its opening parenthesis already taken. first: nothing but flags stands before it. */
export function translateGroup(context: Context, place: Place, first: boolean): NewPiece {
	const { scanner } = context
	const at = scanner.at - 1
	if (!scanner.skip('?')) return item(captured(context, place, '', at))
	if (scanner.skip('#')) {
		if (scanner.takeUntil(')') === undefined) throw scanner.bad('the comment that begins with (?# has no end', at)
		return undefined
	}
	if (scanner.skip('P')) return item(namedGroup(context, place, at))
	if (scanner.skip(':')) return item(enclosed('(?:', content(context, place, at)))
	if (scanner.skip('>')) return item(atomically(context, place, at, () => content(context, place, at)))
	if (scanner.skip('=')) return item(looked(context, place, '(?=', at))
	if (scanner.skip('!')) return item(looked(context, place, '(?!', at))
	if (scanner.skip('<=')) return item(looked(context, { ...place, behind: true }, '(?<=', at))
	if (scanner.skip('<!')) return item(looked(context, { ...place, behind: true }, '(?<!', at))
	if (scanner.skip('<')) throw scanner.bad('a named group is written (?P<name>…)', at)
	if (scanner.next === '(') throw scanner.lacking('a condition, (?(1)yes|no)', at)
	if (/^[A-Za-z-]$/.test(scanner.next)) return flagged(context, place, first, at)
	throw scanner.bad(`there is no group that begins with (?${scanner.next}`, at)
}

function item(content: Content): NewPiece {
	return { ...content, kind: 'item' }
}

function enclosed(opening: string, { code, empty }: Content): Content {
	return { code: `${opening}${code})`, empty }
}

/** What stands in a group, its closing parenthesis taken. */
function content(context: Context, place: Place, at: number): Content {
	const found = context.alternatives(context, { ...place, outermost: false })
	if (context.scanner.skip(')')) return found
	throw context.scanner.bad('the group that begins here has no )', at)
}

function captured(context: Context, place: Place, name: string, at: number): Content {
	const number = context.groups.open(name, at, context.scanner)
	const found = content(context, place, at)
	context.groups.close(number)
	return enclosed(`(?<g${number}>`, found)
}

function namedGroup(context: Context, place: Place, at: number): Content {
	const { scanner, groups } = context
	if (scanner.skip('<')) return captured(context, place, takeName(context, '>', at), at)
	if (!scanner.skip('=')) throw scanner.bad('after (?P, < or = is missing', at)
	return { code: groups.refer(takeName(context, ')', at), { at, scanner, place }), empty: true }
}

function takeName({ scanner }: Context, end: string, at: number): string {
	const name = scanner.takeUntil(end)
	if (name === undefined) throw scanner.bad(`after the name of a group, ${end} is missing`, at)
	if (/^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(name)) return name
	throw scanner.bad(`"${name}" cannot be the name of a group`, at)
}

/** A look-around: no group in a negative one is matched afterwards, and what stands in others is matched only once. */
function looked(context: Context, place: Place, opening: string, at: number): Content {
	const sure = context.groups.sure
	const loops = context.emptyLoops
	const { code } = content(context, place, at)
	if (opening.endsWith('!') || context.emptyLoops > loops) context.groups.restore(sure)
	return { code: `${opening}${code})`, empty: true }
}

/** `(?i:…)`, and `(?i)` for all that follows. */
function flagged(context: Context, place: Place, first: boolean, at: number): NewPiece {
	const { scanner } = context
	const flags = takeFlags(scanner, place.flags)
	if (scanner.skip(':')) return item(enclosed('(?:', content(context, { ...place, flags }, at)))
	if (!scanner.skip(')')) throw scanner.bad('after flags, ) or : is missing', at)
	if (!place.outermost || !first) throw scanner.bad('flags for all of it must stand at its very beginning', at)
	Object.assign(place.flags, flags)
	return undefined
}
