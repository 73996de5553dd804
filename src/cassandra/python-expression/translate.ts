import type { Content, Context, Piece, Place } from './context.ts'
import { NO_FLAGS } from './flags.ts'
import { Groups } from './groups.ts'
import { translatePiece } from './piece.ts'
import { translateRepeat } from './repeat.ts'
import { Scanner } from './scanner.ts'

/**
 * Translates an expression of Python 3's `re` (its documentation's "Regular Expression Syntax", and re._parser in its
 * source) into JavaScript's, so that the same texts match. Throws ExpressionError for what is wrong or has no equal.
 */
export function translateExpression(source: string): string {
	const context = { scanner: new Scanner(source), groups: new Groups(), alternatives, emptyLoops: 0 }
	const place: Place = { flags: { ...NO_FLAGS }, behind: false, outermost: true }
	const { code } = alternatives(context, place)
	if (context.scanner.next === ')') throw context.scanner.bad('this ) closes nothing')
	return code
}

/** Of the groups in branches none is surely matched afterwards. */
function alternatives(context: Context, place: Place): Content {
	const { scanner, groups } = context
	const sure = groups.sure
	const branches = [sequence(context, place)]
	while (scanner.skip('|')) {
		groups.restore(sure)
		branches.push(sequence(context, { ...place, outermost: false }))
	}
	if (branches.length > 1) groups.restore(sure)
	return { code: branches.map(({ code }) => code).join('|'), empty: branches.some(({ empty }) => empty) }
}

function sequence(context: Context, place: Place): Content {
	const { scanner, groups } = context
	const pieces: Piece[] = []
	while (!['', '|', ')'].includes(scanner.next)) {
		if (place.flags.verbose && skipVerbose(scanner)) continue
		const repeated = translateRepeat(context, place, pieces.at(-1))
		if (repeated !== undefined) {
			pieces.splice(-1, 1, repeated)
			continue
		}
		const sureBefore = groups.sure
		const piece = translatePiece(context, place, pieces.length === 0)
		if (piece !== undefined) pieces.push({ ...piece, sureBefore })
	}
	return { code: pieces.map(({ code }) => code).join(''), empty: pieces.every(({ empty }) => empty) }
}

/** (?x) looks past white space and comments. */
function skipVerbose(scanner: Scanner): boolean {
	if (scanner.takeWhile(/[ \t\n\r\f\v]/) !== '') return true
	if (!scanner.skip('#')) return false
	scanner.takeWhile(/[^\n]/)
	return true
}
