/** The folder of a tag, as a glance saw it. */
export interface SeenTag {
	/** Tells it from any other state of it. */
	mark: string
	mtimeNs: bigint
	/** When it was seen, ms since the epoch. */
	seenMs: number
	/** For how long an old one is taken to be as it was, in ms. */
	restMs: number
}

/** The longest that an old tag is not glanced at. Each takes its own share of it, so that not all are due at once. */
export const REST_MS = 60_000

/** How long ago a tag must have changed to be an old one, in ms. */
const OLD_MS = 60_000

/**
 * Whether a tag is to be glanced at again. Its folder's parent has not changed: it is still the same one, and neither
 * cleared nor taken again. What could still change in it is hardly Cassandra's doing once it is old, and what is not
 * settled is looked at again anyway, so that such a tag may wait: thousands of them would be most of what a glance costs. Where the clock was set back, none waits.
 */
export function isDue(seen: SeenTag | undefined, nowMs: number): boolean {
	if (!seen) return true
	const { mtimeNs, seenMs, restMs } = seen
	const isOld = seenMs - Number(mtimeNs / 1_000_000n) > OLD_MS
	return !isOld || nowMs < seenMs || nowMs >= seenMs + restMs
}
