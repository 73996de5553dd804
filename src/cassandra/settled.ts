import {
	difference,
	EPHEMERAL_MARKER,
	MANIFEST,
	SCHEMA,
	type SnapshotListing,
	SYSTEM_KEYSPACES,
	youngestChangeNs,
} from './snapshot.ts'
import { neededComponents, parseComponent } from './sstable.ts'

/**
 * Whether Cassandra has finished writing a snapshot, and how well that is proven.
 * - `settled` by `manifest`: all that the manifest names is there, with what each SSTable needs to load, and schema.cql;
 *   by `quiet`: there is no complete manifest and schema.cql, but nothing in it changed for the settle time.
 * - `waiting`: not yet; look again after `untilMs`. Nothing is expected of it any more after `giveUpMs`.
 * - `broken`: it never will be.
 * - `left out`: it is not ours to mirror.
 */
export type Verdict =
	| { verdict: 'settled'; proof: 'manifest' | 'quiet' }
	| { verdict: 'waiting'; reason: string; untilMs: number; giveUpMs: number }
	| { verdict: 'broken'; reason: string }
	| { verdict: 'left out'; reason: string }

/** The second look must come this long after the youngest change that it finds (schema.cql is written in steps). */
const QUIET_BEFORE_SEAL_MS = 250

interface SettleQuestion {
	keyspace: string
	tag: string
	before: SnapshotListing
	/** The look just before the seal. */
	after: SnapshotListing
	/** When the second look was taken, in ms since the epoch. */
	nowMs: number
	/** How long a snapshot without a complete manifest must have been quiet, in ms. */
	settleMs: number
}

/** Decides from two looks at all data directories. */
export function isSettled(question: SettleQuestion): Verdict {
	const { keyspace, tag, before, after, nowMs, settleMs } = question
	const reason = ephemeral(tag, after)
	if (reason) return { verdict: 'left out', reason }
	if (after.files.length === 0 && after.leftOut.length === 0) return empty(question)
	const broken = cannotBe(after)
	if (broken) return { verdict: 'broken', reason: broken }
	const changedMs = Number(youngestChangeNs(after) / 1_000_000n)
	// A time that lies ahead of the clock says nothing about now: then only the two looks count.
	const quietSinceMs = changedMs > nowMs ? nowMs : changedMs
	const giveUpMs = quietSinceMs + Math.max(settleMs, QUIET_BEFORE_SEAL_MS)
	const wait = (why: string, untilMs: number): Verdict => ({ verdict: 'waiting', reason: why, untilMs, giveUpMs })
	const changed = difference(before, after)
	if (changed) return wait(`${changed} since the last look`, nowMs + QUIET_BEFORE_SEAL_MS)
	if (changedMs <= nowMs && nowMs < changedMs + QUIET_BEFORE_SEAL_MS) {
		return wait(`it changed less than ${QUIET_BEFORE_SEAL_MS} ms ago`, changedMs + QUIET_BEFORE_SEAL_MS)
	}
	const missing = whatIsMissing(keyspace, after)
	if (!missing) return { verdict: 'settled', proof: 'manifest' }
	if (!missing.quietIsEnough) return wait(missing.reason, nowMs + QUIET_BEFORE_SEAL_MS)
	if (nowMs >= giveUpMs) return { verdict: 'settled', proof: 'quiet' }
	return wait(`${missing.reason}, and it was not quiet for ${settleMs / 1000} s yet`, giveUpMs)
}

function empty({ after, nowMs, settleMs }: SettleQuestion): Verdict {
	const giveUpMs = Math.min(Number(youngestChangeNs(after) / 1_000_000n), nowMs) + settleMs
	if (nowMs >= giveUpMs) return { verdict: 'left out', reason: 'it is empty' }
	return { verdict: 'waiting', reason: 'it is empty', untilMs: nowMs + QUIET_BEFORE_SEAL_MS, giveUpMs }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Why the snapshot counts as a repair's own, if it does. */
function ephemeral(tag: string, { manifest, files }: SnapshotListing): string | undefined {
	if (files.some(({ path }) => path === EPHEMERAL_MARKER)) return `it is ephemeral (it holds ${EPHEMERAL_MARKER})`
	const said = manifest && 'files' in manifest ? manifest.ephemeral : undefined
	if (said) return 'it is ephemeral (its manifest says so)'
	if (said === undefined && UUID.test(tag))
		return 'it is a repair’s own (its tag is a UUID, and no manifest says otherwise)'
	return undefined
}

function cannotBe({ conflicts, manifest }: SnapshotListing): string | undefined {
	const [conflict] = conflicts
	if (conflict !== undefined) return `two data directories hold different files named ${JSON.stringify(conflict)}`
	if (manifest && 'problem' in manifest && manifest.hopeless) return manifest.problem
	return undefined
}

interface Missing {
	reason: string
	/** Old versions of Cassandra leave it so: quiet is all the proof there is. */
	quietIsEnough: boolean
}

function whatIsMissing(keyspace: string, { manifest, files }: SnapshotListing): Missing | undefined {
	if (!manifest) return { reason: `it has no ${MANIFEST}`, quietIsEnough: true }
	if ('problem' in manifest) return { reason: manifest.problem, quietIsEnough: false }
	const there = new Set(files.map(({ path }) => path))
	for (const data of manifest.files) {
		if (!there.has(data)) return { reason: `${MANIFEST} names ${data}, which is not there yet`, quietIsEnough: false }
		const part = missingComponent(data, there)
		if (part) return { reason: `${data} is there, but ${part} is not yet`, quietIsEnough: false }
	}
	if (!SYSTEM_KEYSPACES.has(keyspace) && !there.has(SCHEMA)) {
		return { reason: `it has no ${SCHEMA}`, quietIsEnough: true }
	}
	return undefined
}

function missingComponent(data: string, there: ReadonlySet<string>): string | undefined {
	const name = parseComponent(data)
	if (!name) return undefined
	return neededComponents(name.format)
		.map((component) => name.prefix + component)
		.find((path) => !there.has(path))
}
