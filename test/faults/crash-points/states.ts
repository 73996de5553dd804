import { apply, type Change, copyOf, type Disk } from './disk-model.ts'

/** One state of the disk that a power cut may leave, by its number among all of them. */
export interface State {
	number: number
	/** The cut came after so many records. */
	records: number
	disk: Disk
}

/** The states of one instant: which changes are not promised there yet, and how many ways to keep or drop them are listed. */
interface Instant {
	records: number
	/** Changes that are promised, and so there. */
	base: Disk
	/** Numbers of changes that were made and are not promised, in their order. */
	open: number[]
	/** The number of its first state. */
	first: number
	ways: number
}

/** All kept; none; each one kept alone, and dropped alone; the same for each pair; and a sample of all other subsets. */
const SAMPLES = 16

/** Each state that is listed of a recorded run, as numbers from 0 to `count` - 1. */
export interface States {
	count: number
	/** How many open changes it treats apart from the others: 0 where all of them are kept, or none; 3 in a sample. */
	apart: (number: number) => 0 | 1 | 2 | 3
	at: (number: number) => State
}

/** Lists the states that a power cut may leave after any number of the records. */
export function listStates(start: Disk, changes: Change[], records: number, seed: number): States {
	const instants: Instant[] = []
	let count = 0
	for (let after = 0; after <= records; after++) {
		const made = changes.flatMap(({ record }, number) => (record < after ? [number] : []))
		const isPromised = (number: number) => (changes[number]?.promisedAfter ?? 0) < after
		const base = copyOf(start)
		for (const number of made) if (isPromised(number)) apply(base, changes[number] as Change)
		const open = made.filter((number) => !isPromised(number))
		const n = open.length
		const ways = n === 0 ? 1 : 2 + 2 * n + n * (n - 1) + (n > 2 ? SAMPLES : 0)
		instants.push({ records: after, base, open, first: count, ways })
		count += ways
	}
	const instantOf = (number: number): Instant => {
		let [low, high] = [0, instants.length - 1]
		while (low < high) {
			const middle = (low + high + 1) >> 1
			if ((instants[middle]?.first ?? 0) <= number) low = middle
			else high = middle - 1
		}
		return instants[low] as Instant
	}
	return {
		count,
		apart: (number) => {
			const { first, open } = instantOf(number)
			const [way, n] = [number - first - 2, open.length]
			if (way < 0) return 0
			if (way < 2 * n) return 1
			return way < 2 * n + n * (n - 1) ? 2 : 3
		},
		at: (number) => {
			const instant = instantOf(number)
			const random = chanceOf(seed, number)
			const kept = keptIn(instant, number - instant.first, changes, random)
			const blank = random() < 0.5
			const disk = copyOf(instant.base)
			for (const open of instant.open) {
				const change = changes[open] as Change
				if (kept.has(open)) apply(disk, change)
				// Bytes that did not come: nothing, or zeros of their length.
				else if (blank && change.write) apply(disk, change, true)
			}
			return { number, records: instant.records, disk }
		},
	}
}

/** Which of the open changes are there in one of an instant's ways. */
function keptIn({ open }: Instant, way: number, changes: Change[], random: () => number): Set<number> {
	const n = open.length
	if (way === 0) return new Set(open)
	if (way === 1) return new Set()
	let left = way - 2
	if (left < 2 * n) return left < n ? withNeeds([open[left]], changes) : without(open, [open[left - n]], changes)
	left -= 2 * n
	const pairs = (n * (n - 1)) / 2
	if (left < 2 * pairs) {
		const pair = pairOf(left % pairs, n).map((index) => open[index])
		return left < pairs ? withNeeds(pair, changes) : without(open, pair, changes)
	}
	const share = random()
	return without(
		open,
		open.filter(() => random() < share),
		changes,
	)
}

/** The pairs of n things, by their numbers. */
function pairOf(number: number, n: number): [number, number] {
	let left = number
	for (let first = 0; ; first++) {
		const others = n - first - 1
		if (left < others) return [first, first + 1 + left]
		left -= others
	}
}

/** These changes, and those that are there where they are. */
export function withNeeds(wanted: (number | undefined)[], changes: Change[]): Set<number> {
	const kept = new Set<number>()
	const keep = (number: number | undefined) => {
		if (number === undefined || kept.has(number)) return
		kept.add(number)
		for (const needed of changes[number]?.needs ?? []) keep(needed)
	}
	for (const number of wanted) keep(number)
	return kept
}

/** Those that are open, but for these and those that are not there without them. */
export function without(open: number[], unwanted: (number | undefined)[], changes: Change[]): Set<number> {
	const dropped = new Set(unwanted)
	for (const number of open) if (changes[number]?.needs.some((needed) => dropped.has(needed))) dropped.add(number)
	return new Set(open.filter((number) => !dropped.has(number)))
}

/** Numbers from 0 to 1, the same for the same seed and state (mulberry32). */
export function chanceOf(seed: number, number: number): () => number {
	let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0
	return () => {
		state = (state + 0x6d2b79f5) >>> 0
		let mixed = Math.imul(state ^ (state >>> 15), state | 1)
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
	}
}
