/** Beyond this no letter has a case (Unicode 16: the last is U+1E943). */
const LAST = 0x1ffff

let variantsByKey: Map<string, number[]> | undefined

/**
 * The characters that re.IGNORECASE takes for this one, itself among them: those of the same lower case, or whose lower
 * cases share an upper case (Python's re._casefix), by their full mappings. With `ascii` only the letters A to Z have a
 * case. JavaScript's own flag i folds by other tables, and as `(?i:…)` is missing from older versions.
 */
export function caseVariants(codePoint: number, ascii: boolean): number[] {
	if (ascii) {
		const letter = codePoint | 0x20
		return letter >= 0x61 && letter <= 0x7a && codePoint <= 0x7a ? [letter & ~0x20, letter] : [codePoint]
	}
	return variants().get(keyOf(codePoint)) ?? [codePoint]
}

/** All characters beside others of the same key. */
function variants(): Map<string, number[]> {
	if (variantsByKey !== undefined) return variantsByKey
	const found = new Map<string, number[]>()
	for (let codePoint = 0; codePoint <= LAST; codePoint++) {
		const character = String.fromCodePoint(codePoint)
		if (character.toLowerCase() === character && character.toUpperCase() === character) continue
		const key = keyOf(codePoint)
		const same = found.get(key)
		if (same === undefined) found.set(key, [codePoint])
		else same.push(codePoint)
	}
	for (const [key, same] of found) if (same.length === 1) found.delete(key)
	variantsByKey = found
	return found
}

/** The characters that have a case within a range, with all their variants. */
export function caseVariantsWithin(from: number, to: number, ascii: boolean): number[] {
	const candidates = ascii ? asciiLetters() : [...variants().values()]
	return candidates.filter((same) => same.some((one) => one >= from && one <= to)).flat()
}

function asciiLetters(): number[][] {
	return Array.from({ length: 26 }, (_, letter) => [0x41 + letter, 0x61 + letter])
}

/** U+0130 is the one letter whose lower case is two characters; Unicode's one-to-one mapping has i for it. */
function keyOf(codePoint: number): string {
	return codePoint === 0x130 ? 'I' : String.fromCodePoint(codePoint).toLowerCase().toUpperCase()
}
