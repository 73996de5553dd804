import { listSnapshot } from '../cassandra/list-snapshot.ts'
import { isSettled } from '../cassandra/settled.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import type { TagLook } from './tag-look.ts'

/** A table whose snapshot is not sealed, and why. */
export interface Unsealed {
	look: TagLook
	reason: string
}

const LISTINGS_IN_FLIGHT = 8

/** Why these snapshots are not sealed, as far as a look at each tells. */
export function whyUnsealed(looks: TagLook[], tag: string, settleMs: number): Io<Unsealed[]> {
	return each(looks, LISTINGS_IN_FLIGHT, function* (look) {
		try {
			return { look, reason: yield* reasonOf(look, tag, settleMs) }
		} catch (error) {
			if (!hasCode(error)) throw error
			return { look, reason: `it can’t be looked into (${error.code})` }
		}
	})
}

function* reasonOf({ location, haven }: TagLook, tag: string, settleMs: number): Io<string> {
	if (haven === 'in doubt') return 'it is being sealed or removed, or a run was killed meanwhile'
	const listing = yield* listSnapshot(location, tag)
	if (!listing) return 'it is gone from the node, and was not sealed before'
	const question = { keyspace: location.keyspace, tag, before: listing, after: listing, nowMs: Date.now(), settleMs }
	const verdict = isSettled(question)
	if (verdict.verdict === 'left out') return `it is never taken: ${verdict.reason}`
	if (verdict.verdict !== 'settled') return `it is not settled: ${verdict.reason}`
	if (haven === 'other') return 'what the haven has of that tag is older: it has changed, or was taken again'
	return 'it is complete on the node, and not in the haven yet'
}
