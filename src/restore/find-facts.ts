import type { Io } from '../files/io.ts'
import { type Reading, readFacts, readNotes, type StoredFacts } from '../haven/facts.ts'
import type { SealedHead } from '../haven/read-heads.ts'

/** The node's facts as they were known for a snapshot. */
export interface FoundFacts {
	facts: StoredFacts
	/** When the node was asked, ISO 8601. */
	at: string
	/** It was asked for the sake of this tag. */
	tag: string
}

/** What a search for facts gives: undefined where none of the kind were kept. */
export interface FactsSearch {
	found?: FoundFacts
	/** What can't be believed or read, each a sentence. */
	problems: string[]
}

/**
 * Finds the facts of a snapshot that have what is wanted: those that were read first after it was taken, of its tag before
 * those of others; where there are none, the last that were read before.
 */
export function* findFacts(
	base: string,
	{ tag, takenAt }: Pick<SealedHead, 'tag' | 'takenAt'>,
	has: (facts: StoredFacts) => boolean,
): Io<FactsSearch> {
	const problems: string[] = []
	const readings: TaggedReading[] = []
	for (const note of yield* readNotes(base)) {
		if (typeof note === 'string') problems.push(note)
		else readings.push(...note.readings.map((reading) => ({ ...reading, tag: note.tag })))
	}
	for (const { facts: id, at, tag: of } of nearestFirst(readings, tag, Date.parse(takenAt))) {
		const facts = yield* readFacts(base, id)
		if (typeof facts === 'string') problems.push(facts)
		else if (has(facts)) return { found: { facts, at, tag: of }, problems }
	}
	return { problems: [...new Set(problems)] }
}

interface TaggedReading extends Reading {
	tag: string
}

/** The readings in the order in which they are believed for a snapshot of a tag, taken then (ms since the epoch). */
export function nearestFirst<R extends TaggedReading>(readings: R[], tag: string, takenMs: number): R[] {
	const oldestFirst = [...readings].sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
	const after = oldestFirst.filter(({ at }) => Date.parse(at) >= takenMs)
	const before = oldestFirst.filter(({ at }) => Date.parse(at) < takenMs).reverse()
	const own = after.filter((one) => one.tag === tag)
	return [...own, ...after.filter((one) => one.tag !== tag), ...before]
}
