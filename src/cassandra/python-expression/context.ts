import type { ExpressionFlags } from './flags.ts'
import type { Groups } from './groups.ts'
import type { Scanner } from './scanner.ts'

/** What the parts of one translation share. */
export interface Context {
	scanner: Scanner
	groups: Groups
	/** Translates what stands in a group, up to its end. */
	alternatives: (context: Context, place: Place) => Content
	/**
	 * How many loops over what may match nothing were met. A round that matches nothing ends such a loop in Python, and is
	 * never taken in JavaScript: the same texts match in the end, but not the same is tried first.
	 */
	emptyLoops: number
}

/** What holds at a place of the expression. */
export interface Place {
	flags: ExpressionFlags
	/** Within a look-behind, which JavaScript matches from right to left. */
	behind: boolean
	/** At the very beginning of the expression, where alone `(?i)` may stand. */
	outermost: boolean
}

/** A translated part of the expression. */
export interface Content {
	code: string
	/** Whether it may match nothing. */
	empty: boolean
}

/** A translated piece, that a quantifier may follow. */
export interface Piece extends Content {
	/** Python repeats neither a position (`^`, `\b` …) nor what is repeated already. */
	kind: 'item' | 'position' | 'repeated'
	/** The groups that were surely matched before it. */
	sureBefore: Set<number>
}

/**
 * Matches once, and never tries again otherwise: `(?>…)` and `x*+`, which JavaScript has not, by a look-ahead.
 * @param translate Translates what is matched so.
 */
export function atomically(context: Context, place: Place, at: number, translate: () => Content): Content {
	const { groups, scanner } = context
	const what = 'an atomic group or possessive quantifier'
	if (place.behind) throw scanner.lacking(`${what} in a look-behind`, at)
	const loops = context.emptyLoops
	const { code, empty } = translate()
	if (context.emptyLoops > loops) throw scanner.lacking(`${what} with a repetition of what may be empty`, at)
	const name = groups.atomic()
	return { empty, code: `(?:(?=(?<${name}>${code}))\\k<${name}>)` }
}
