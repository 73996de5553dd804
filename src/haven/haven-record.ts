import { failure, usageError } from '../errors.ts'
import { uniqueName } from '../files/builtins.ts'
import { createFile, readWhole } from '../files/contents.ts'
import { flushFolder } from '../files/folders.ts'
import { hasCode, type Io, runAsync } from '../files/io.ts'
import { link, lstatIfThere, rename, unlink } from '../files/operations.ts'
import { HAVEN_FILE, PRIVATE } from './layout.ts'
import type { Capabilities } from './probe.ts'
import { FORMAT } from './receipt.ts'
import { checkedRecord, checkedText, withChecksum } from './sealed-text.ts'
import { fields, natural, text, truth } from './shapes.ts'

/** haven.json: what a haven is, whose it is, and what its place can do. */
export interface HavenRecord {
	format: number
	id: string
	/** The node that it belongs to. */
	owner: { machine: string; host: string }
	/** ISO 8601. */
	madeAt: string
	capabilities: Capabilities
}

const isHavenRecord = fields({
	format: natural,
	id: text,
	owner: fields({ machine: text, host: text }),
	madeAt: text,
	capabilities: fields({
		caseSensitive: truth,
		anySign: truth,
		anyBytes: truth,
		nameBytesMax: natural,
		hardLinks: truth,
		reflinks: truth,
		mtimeGrainNs: natural,
		folderFlush: truth,
	}),
})

const RECORD_BYTES_MAX = 1024 * 1024

/** Reads haven.json; undefined where there is none. Refuses one that is damaged or of a newer format. */
export async function readHavenRecord(base: string, path = base): Promise<HavenRecord | undefined> {
	let bytes: Buffer
	try {
		bytes = await runAsync(readWhole(`${base}/${HAVEN_FILE}`, RECORD_BYTES_MAX))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
	const format = /^\{"format":(\d+)/.exec(bytes.toString('latin1', 0, 40))?.[1]
	if (format !== undefined && Number(format) > FORMAT) {
		throw usageError(
			`the haven ${path} has format ${format}, and this snaphaven understands format ${FORMAT}`,
			'A newer snaphaven made it: update this one.',
		)
	}
	const record = checkedRecord<HavenRecord>(bytes, isHavenRecord)
	if (record === undefined) {
		const why = checkedText(bytes) === undefined ? 'its checksum does not hold' : 'it says what no haven’s can say'
		throw failure(
			`${path}/${HAVEN_FILE} is damaged: ${why}`,
			'The snapshots and receipts beside it are not touched by that. Move the file away and give --new-haven to have it made anew over them.',
		)
	}
	return record
}

/** Makes haven.json, durably, where none is; one that another process has made meanwhile stays. */
export function putFirstRecord(path: string, record: HavenRecord): Io<void> {
	return writeRecord(path, record, putIfNone)
}

/** Puts another in its place, durably. To be called under the haven's lease. */
export function replaceRecord(path: string, record: HavenRecord): Io<void> {
	return writeRecord(path, record, (draft, place) => rename(draft, place))
}

function* writeRecord(
	path: string,
	record: HavenRecord,
	put: (draft: string, place: string, record: HavenRecord) => Io<void>,
): Io<void> {
	const draft = `${path}/${PRIVATE}/haven-${uniqueName()}.json`
	yield* createFile(draft, withChecksum(JSON.stringify(record)), { mode: 0o644, flush: true })
	yield* put(draft, `${path}/${HAVEN_FILE}`, record)
	for (const folder of [`${path}/${PRIVATE}`, path]) if (record.capabilities.folderFlush) yield* flushFolder(folder)
}

/** Where there are no hard links, of two that make it at the same instant the later one may stand; see claimHaven in haven.ts. */
function* putIfNone(draft: string, place: string, { capabilities }: HavenRecord): Io<void> {
	if (!capabilities.hardLinks && !(yield* lstatIfThere(place))) return yield* rename(draft, place)
	try {
		if (capabilities.hardLinks) yield* link(draft, place)
	} catch (error) {
		if (!hasCode(error, 'EEXIST')) throw error
	}
	yield* unlink(draft)
}
