import type { Place } from './context.ts'
import type { Scanner } from './scanner.ts'

/** Where a reference stands. */
interface Reference {
	at: number
	scanner: Scanner
	place: Place
}

/**
 * The groups of an expression, and which of them a reference may name: where a group was not surely matched just before,
 * a reference fails in Python and fits the empty text in JavaScript, and a group that is repeated holds what its last
 * round matched, which the two see differently. Only a reference whose meaning is the same in both is translated.
 */
export class Groups {
	readonly #numbers = new Map<string, number>()
	readonly #closed = new Set<number>()
	#sure = new Set<number>()
	#count = 0
	#atomics = 0

	/** Begins a group; name '' for one that has none. */
	open(name: string, at: number, scanner: Scanner): number {
		this.#count++
		if (name !== '') {
			if (this.#numbers.has(name)) throw scanner.bad(`there are two groups of the name ${name}`, at)
			this.#numbers.set(name, this.#count)
		}
		return this.#count
	}

	close(number: number): void {
		this.#closed.add(number)
		this.#sure.add(number)
	}

	/** A name for a group of our own. */
	atomic(): string {
		this.#atomics++
		return `atomic${this.#atomics}`
	}

	/** The groups that are surely matched by now. */
	get sure(): Set<number> {
		return new Set(this.#sure)
	}

	/** Takes back what is sure to what it was before something that may be left out, or comes again. */
	restore(sure: Set<number>): void {
		this.#sure = new Set(sure)
	}

	/** A reference to a group by its name or number. */
	refer(reference: string | number, { at, scanner, place }: Reference): string {
		const number = typeof reference === 'number' ? reference : this.#numbers.get(reference)
		if (number === undefined || number > this.#count) throw scanner.bad(`there is no group ${reference} before it`, at)
		if (!this.#closed.has(number)) throw scanner.bad(`a reference to group ${reference} stands inside of it`, at)
		if (!this.#sure.has(number)) {
			throw scanner.lacking(`a reference to group ${reference}, which may be left out or repeated`, at)
		}
		if (place.behind) throw scanner.lacking('a reference in a look-behind', at)
		if (place.flags.ignoreCase) throw scanner.lacking('a reference to a group, where case is ignored', at)
		return `\\k<g${number}>`
	}
}
