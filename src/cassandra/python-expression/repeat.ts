import { atomically, type Context, type Piece, type Place } from './context.ts'
import type { Scanner } from './scanner.ts'

interface Repeat {
	min: number
	max: number
}

/** Python's MAXREPEAT. */
const MOST = 2 ** 32 - 1

const SIGNS: Record<string, Repeat> = {
	'*': { min: 0, max: Number.POSITIVE_INFINITY },
	'+': { min: 1, max: Number.POSITIVE_INFINITY },
	'?': { min: 0, max: 1 },
}

/** The last piece repeated, where a quantifier comes next: `*`, `{2,}?`, `++` …; undefined where none does. */
export function translateRepeat(context: Context, place: Place, piece: Piece | undefined): Piece | undefined {
	const { scanner, groups } = context
	const at = scanner.at
	const repeat = takeRepeat(scanner)
	if (repeat === undefined) return undefined
	if (piece === undefined || piece.kind === 'position') throw scanner.bad('there is nothing to repeat', at)
	if (piece.kind === 'repeated') throw scanner.bad('what is repeated cannot be repeated again without a group', at)
	if (repeat.min === 0 || repeat.max > 1) groups.restore(piece.sureBefore)
	const max = Number.isFinite(repeat.max) ? repeat.max : ''
	const code = `(?:${piece.code}){${repeat.min},${max}}`
	const repeated: Piece = { ...piece, kind: 'repeated', code, empty: piece.empty || repeat.min === 0 }
	const loop = () => {
		if (piece.empty && repeat.max > repeat.min) context.emptyLoops++
		return repeated
	}
	if (scanner.skip('+')) return { ...repeated, ...atomically(context, place, at, loop) }
	return scanner.skip('?') ? { ...loop(), code: `${code}?` } : loop()
}

function takeRepeat(scanner: Scanner): Repeat | undefined {
	const sign = Object.hasOwn(SIGNS, scanner.next) ? SIGNS[scanner.next] : undefined
	if (sign !== undefined) {
		scanner.take()
		return sign
	}
	const at = scanner.at
	const braces = scanner.skip('{') && scanner.next !== '}' ? takeBraces(scanner) : undefined
	if (braces === undefined) scanner.at = at
	return braces
}

/** `2}`, `2,}`, `,3}` or `2,3}`; all else is no quantifier but the text itself. */
function takeBraces(scanner: Scanner): Repeat | undefined {
	const at = scanner.at - 1
	const low = scanner.takeWhile(/[0-9]/)
	const high = scanner.skip(',') ? scanner.takeWhile(/[0-9]/) : low
	if (!scanner.skip('}')) return undefined
	const min = low === '' ? 0 : Number(low)
	const max = high === '' ? Number.POSITIVE_INFINITY : Number(high)
	if (min >= MOST || (max >= MOST && high !== '')) throw scanner.bad('the number of repetitions is too large', at)
	if (min > max) throw scanner.bad('the least number of repetitions is greater than the greatest', at)
	return { min, max }
}
