import { failure } from '../errors.ts'
import { createFile } from '../files/contents.ts'
import { flushFolder } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { rename } from '../files/operations.ts'
import { PRIVATE } from './layout.ts'
import { checkedRecord, recordBytes, withChecksum } from './sealed-text.ts'
import { fields, list, map, optional, text, truth } from './shapes.ts'

/**
 * What was on the node when each keyspace was first kept, and is left alone unless asked for (`--fullsync`): not a time,
 * since clocks step, but the folders themselves.
 */
export interface Baseline {
	format: 1
	/** Keyspaces were kept as they came (`--all-keyspaces`): one that is not listed is newer than the haven. */
	all: boolean
	keyspaces: Record<string, { /** ISO 8601 */ begunAt: string; leftAlone: LeftAlone[] }>
	/** Removed from the haven by `prune` while they were on the node still: left alone, whatever is asked for. */
	pruned?: PrunedSnapshot[]
}

/** A snapshot that was pruned. */
export interface PrunedSnapshot extends LeftAlone {
	keyspace: string
}

/** A snapshot that was there before. */
export interface LeftAlone {
	/** The table's folder, `<name>-<id>`. */
	table: string
	tag: string
	/** Its tag folders' identity (see SnapshotLook.identity): another one is another snapshot. */
	identity: string[]
}

const leftAlone = { table: text, tag: text, identity: list(text) }
const isBaseline = fields({
	all: truth,
	keyspaces: map(fields({ begunAt: text, leftAlone: list(fields(leftAlone)) })),
	pruned: optional(list(fields({ ...leftAlone, keyspace: text }))),
})

const BASELINE_FILE = `${PRIVATE}/baseline.json`
const BASELINE_BYTES_MAX = 256 * 1024 * 1024

/** Reads the baseline; an empty one where there is none. One that is damaged is refused: too little would be left alone. */
export function* readBaseline(base: string): Io<Baseline> {
	const bytes = yield* recordBytes(`${base}/${BASELINE_FILE}`, BASELINE_BYTES_MAX)
	if (bytes === undefined) return { format: 1, all: false, keyspaces: {} }
	const read = checkedRecord<Baseline & { checksum: string }>(bytes, isBaseline)
	if (read !== undefined) {
		const { checksum: _, ...baseline } = read
		return baseline
	}
	throw failure(
		`the haven’s ${BASELINE_FILE}, which says what was on the node at first, is damaged: its checksum does not hold`,
		'Move it away: then what is on the node now and not in the haven is left alone, unless --fullsync is given.',
	)
}

/** Writes it durably, through the lease's own folder, so that who has lost the lease changes nothing. */
export function* writeBaseline(
	base: string,
	partial: string,
	baseline: Baseline,
	{ flushFolders }: { flushFolders: boolean },
): Io<void> {
	const draft = `${base}/${partial}/baseline.json`
	yield* createFile(draft, withChecksum(JSON.stringify(baseline)), { mode: 0o644, flush: true })
	yield* rename(draft, `${base}/${BASELINE_FILE}`)
	if (flushFolders) yield* flushFolder(`${base}/${PRIVATE}`)
}
