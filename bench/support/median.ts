/** The middle one; of an even number, the lower of the two. */
export function median(values: number[]): number {
	return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN
}
