import { uniqueName } from '../files/builtins.ts'
import { createFile } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { rename } from '../files/operations.ts'
import { PRIVATE } from './layout.ts'
import { checkedRecord, recordBytes, withChecksum } from './sealed-text.ts'
import { fields, map, moment } from './shapes.ts'

/** When each snapshot was last verified, every byte of it and with no damage: ISO 8601, by its receipt's `id`. */
export type VerifiedDates = Map<string, string>

interface VerifiedRecord {
	format: 1
	verified: Record<string, string>
}

const isVerified = fields({ verified: map(moment) })

const VERIFIED_FILE = `${PRIVATE}/verified.json`
const VERIFIED_BYTES_MAX = 2 ** 30

/** Reads the dates; none where there is no such file, or a damaged one: then all is verified anew. */
export function* readVerified(base: string): Io<VerifiedDates> {
	const bytes = yield* recordBytes(`${base}/${VERIFIED_FILE}`, VERIFIED_BYTES_MAX)
	const record = bytes && checkedRecord<VerifiedRecord>(bytes, isVerified)
	return new Map(Object.entries(record?.verified ?? {}))
}

/**
 * Writes the dates in place of the file, by a rename. It needs no lease: the file is verify's alone, and where two write
 * at a time, the dates of one are lost, which costs a verification.
 */
export function* writeVerified(base: string, dates: VerifiedDates): Io<void> {
	const draft = `${base}/${PRIVATE}/verified-${uniqueName()}.json`
	const record: VerifiedRecord = { format: 1, verified: Object.fromEntries(dates) }
	try {
		yield* createFile(draft, withChecksum(JSON.stringify(record)), { mode: 0o644, flush: false })
		yield* rename(draft, `${base}/${VERIFIED_FILE}`)
	} catch (error) {
		yield* removeTree(draft)
		throw error
	}
}
