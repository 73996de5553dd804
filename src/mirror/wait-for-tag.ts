import { setTimeout as sleep } from 'node:timers/promises'
import { SnaphavenError } from '../errors.ts'
import { steadyMs } from '../files/builtins.ts'
import { findTag, type TagOptions, tableKey } from './find-tag.ts'
import type { TagLook } from './tag-look.ts'

/** How long, and what is told meanwhile. */
export interface Waiting {
	timeoutMs: number
	/** A table's snapshot is sealed; told once for each. */
	onSealed: (look: TagLook) => void
	/** How many tables have the tag, and how many of these are sealed. */
	onProgress: (sealed: number, total: number) => void
	/** Why a look after the first one failed; told where it is another reason than before. */
	onTrouble: (message: string) => void
	signal: AbortSignal
	/** Asked as long as something is missing: true ends the waiting. */
	giveUp?: () => Promise<boolean>
}

/** What the waiting came to. */
export interface Waited {
	/** `hung`: a call to the haven does not return, so that the process can't end by itself. */
	end: 'sealed' | 'timeout' | 'given up' | 'hung'
	sealed: TagLook[]
	unsealed: TagLook[]
	/** Why the last look failed, where it did. */
	trouble: string | undefined
}

const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 2000
/** After looks that take long (a thousand tables, a slow NAS) the pauses are so many times as long, up to the longest. */
const PAUSE_FACTOR = 19
const PAUSE_MS_LONGEST = 5000
/** How long a look may take beyond the timeout. */
const PATIENCE_MS = 10_000

/**
 * Waits until the tag is sealed for every table that has it, by looking at the disk: writes nothing and takes no lease.
 * Throws what makes the first look fail, and an AbortError where the signal ends it.
 */
export async function waitForTag(options: TagOptions, waiting: Waiting): Promise<Waited> {
	const until = steadyMs() + waiting.timeoutMs
	const seen: Seen = { sealed: new Map(), unsealed: [], told: new Set(), looked: false, trouble: undefined }
	const ended = (end: Waited['end']): Waited => {
		return { end, sealed: [...seen.sealed.values()], unsealed: seen.unsealed, trouble: seen.trouble }
	}
	for (let pause = PAUSE_MS_MIN; ; pause = Math.min(PAUSE_MS_MAX, pause * 1.5)) {
		const begun = steadyMs()
		const skipped = new Set(seen.sealed.keys())
		const found = await within(until + PATIENCE_MS - begun, findTag(options, skipped), waiting.signal)
		if (found === 'too long') return ended('hung')
		const isSealed = take(found, seen, waiting)
		if (isSealed && skipped.size === 0) return ended('sealed')
		if (isSealed) {
			// Those sealed first may have been taken again since: all are looked at once more.
			seen.sealed.clear()
			continue
		}
		if (steadyMs() >= until) return ended('timeout')
		if (await waiting.giveUp?.()) return ended('given up')
		const rest = Math.max(pause, Math.min(PAUSE_MS_LONGEST, (steadyMs() - begun) * PAUSE_FACTOR))
		await sleep(Math.min(rest, Math.max(0, until - steadyMs())), undefined, { signal: waiting.signal })
	}
}

interface Seen {
	/** By tableKey. */
	sealed: Map<string, TagLook>
	unsealed: TagLook[]
	told: Set<string>
	looked: boolean
	trouble: string | undefined
}

/** Takes in what a look found, and tells what is new. True where all that has the tag is sealed. */
function take(found: TagLook[] | SnaphavenError, seen: Seen, { onSealed, onProgress, onTrouble }: Waiting): boolean {
	if (found instanceof SnaphavenError) {
		if (!seen.looked) throw found
		if (found.message !== seen.trouble) onTrouble(found.message)
		seen.trouble = found.message
		return false
	}
	seen.looked = true
	seen.trouble = undefined
	seen.unsealed = found.filter(({ haven }) => haven !== 'sealed')
	for (const look of found.filter(({ haven }) => haven === 'sealed')) {
		const key = tableKey(look.location)
		seen.sealed.set(key, look)
		if (!seen.told.has(key)) onSealed(look)
		seen.told.add(key)
	}
	onProgress(seen.sealed.size, seen.sealed.size + seen.unsealed.length)
	return seen.sealed.size > 0 && seen.unsealed.length === 0
}

/** The look's result or its SnaphavenError; a look that takes too long is left to itself. */
async function within<T>(ms: number, look: Promise<T>, signal: AbortSignal): Promise<T | SnaphavenError | 'too long'> {
	const over = new AbortController()
	const patience = sleep(ms, 'too long' as const, { signal: AbortSignal.any([signal, over.signal]) })
	try {
		return await Promise.race([look, patience])
	} catch (error) {
		if (error instanceof SnaphavenError) return error
		throw error
	} finally {
		over.abort()
		for (const promise of [patience, look]) promise.catch(() => {})
	}
}
