import { encodeName } from '../files/names.ts'

/** Names one snapshot in the haven as on the node. */
export interface SnapshotKey {
	keyspace: string
	/** The table's folder, `<name>-<id>`. */
	table: string
	/** LIVE: the table's live set; `backups/…`: a part of its incremental backups. */
	tag: string
}

/** In place of a tag: a table's live set, which is sealed as snapshots are. No folder has an empty name. */
export const LIVE = ''

/**
 * What stands in place of a tag for a table's incremental backups, which are sealed as snapshots are, part by part: this,
 * and then the part's name; this alone while it is gathered. No folder's name has a slash.
 */
export const BACKUPS = 'backups/'
const APART = `${BACKUPS}apart/`

/** Whether what stands in place of a tag is a part of incremental backups. */
export function isBackups(tag: string): boolean {
	return tag.startsWith(BACKUPS)
}

/**
 * What stands in place of the tag of one part. Its name begins with the time at which it was looked at, so that names are
 * in the order of time as far as the clock was.
 * @param id Of its receipt.
 * @param isApart It has names that an earlier part has for other SSTables, and stands in a folder of its own.
 */
export function backupsTag(lookedAt: string, id: string, isApart: boolean): string {
	return `${isApart ? APART : BACKUPS}${stamp(lookedAt)}-${id}`
}

/** What names of receipts of parts begin with that were looked at at this time or later, or what comes before these. */
export function stamp(iso: string): string {
	return iso.toLowerCase().replaceAll(':', '-')
}

function partName(tag: string): string {
	return tag.slice((isApart(tag) ? APART : BACKUPS).length)
}

/** Whether a part of incremental backups stands in a folder of its own. */
export function isApart(tag: string): boolean {
	return tag.startsWith(APART)
}

/** Paths within the haven, relative to its root. */
export const PRIVATE = '.snaphaven'
export const HAVEN_FILE = `${PRIVATE}/haven.json`
export const LEASE_FILE = `${PRIVATE}/lease.json`
export const PARTIAL = `${PRIVATE}/partial`
export const RECEIPTS = `${PRIVATE}/receipts`
/** Where folders go that no receipt knows and that stood in a snapshot's place. */
export const SET_ASIDE = `${PRIVATE}/set-aside`
/** The receipts of live sets. */
export const LIVE_RECEIPTS = `${PRIVATE}/live`
/** The receipts of incremental backups. */
export const BACKUPS_RECEIPTS = `${PRIVATE}/backups`
/** What went from live sets and is kept for a while, by the day on which it went. */
export const DELETED = `${PRIVATE}/deleted`

/** The node's facts, and by tags which of them are meant. */
export const FACTS = `${PRIVATE}/facts`
export const FACTS_TAGS = `${FACTS}/tags`

interface Table {
	keyspace: string
	table: string
}

/** The folder of a table in the mirror; its live set stands in it. */
export function tableFolder({ keyspace, table }: Table): string {
	return `data/${keyspace}/${table}`
}

/** The folder of the receipts of a table's incremental backups. */
export function backupsReceiptsFolder({ keyspace, table }: Table): string {
	return `${BACKUPS_RECEIPTS}/${safeName(keyspace)}/${safeName(table)}`
}

/** The folder of the receipts of a keyspace's live sets. */
function liveReceiptsFolder({ keyspace }: { keyspace: string }): string {
	return `${LIVE_RECEIPTS}/${safeName(keyspace)}`
}

/** The folder of a table's snapshots in the mirror. */
export function snapshotsFolder(table: Table): string {
	return `${tableFolder(table)}/snapshots`
}

/** The folder of a snapshot, of a live set, or of a part of incremental backups, in the mirror. */
export function snapshotFolder(key: SnapshotKey): string {
	if (isBackups(key.tag)) return `${tableFolder(key)}/backups${isApart(key.tag) ? `/${partName(key.tag)}` : ''}`
	return key.tag === LIVE ? tableFolder(key) : `${snapshotsFolder(key)}/${key.tag}`
}

/** The folder of a table's receipts. */
export function receiptsFolder({ keyspace, table }: Table): string {
	return `${RECEIPTS}/${safeName(keyspace)}/${safeName(table)}`
}

/** The receipt of a snapshot, of a live set, or of a part of incremental backups. */
export function receiptPath(key: SnapshotKey): string {
	if (key.tag === LIVE) return `${liveReceiptsFolder(key)}/${safeName(key.table)}.json`
	if (isBackups(key.tag)) return `${backupsReceiptsFolder(key)}/${partName(key.tag)}.json`
	return `${receiptsFolder(key)}/${safeName(key.tag)}.json`
}

/**
 * A file name for any name: itself where it is of `a-z 0-9 _ . -` alone, not hidden and not long; else what is readable
 * of it, `~` and 16 hex digits of its bytes' SHA-256. Two names never share one, also where case is not told apart.
 */
export function safeName(name: string): string {
	if (/^[a-z0-9_-][a-z0-9_.-]{0,99}$/.test(name)) return name
	// Loaded only for the odd name: it costs each worker thread's start some ms.
	const { createHash } = process.getBuiltinModule('node:crypto')
	const readable = name
		.toLowerCase()
		.replace(/[^a-z0-9_-]+/g, '_')
		.slice(0, 60)
	return `${readable}~${createHash('sha256').update(encodeName(name)).digest('hex').slice(0, 16)}`
}

/** What is being gathered under a token, by its number: the folder, its receipt-to-be, what it replaces. */
export const gathering = {
	folder: (partial: string, number: number) => `${partial}/${number}`,
	receipt: (partial: string, number: number) => `${partial}/${number}.json`,
	old: (partial: string, number: number) => `${partial}/${number}.old`,
	oldReceipt: (partial: string, number: number) => `${partial}/${number}.old.json`,
	/** Which pieces of a large snapshot are durable already. */
	progress: (partial: string, number: number) => `${partial}/${number}.progress`,
	/** What stood in its place and no receipt knew, on its way to be set aside. */
	aside: (partial: string, number: number) => `${partial}/${number}.aside`,
	/** What was published in vain, on its way to be removed. */
	bad: (partial: string, number: number) => `${partial}/${number}.bad`,
	badReceipt: (partial: string, number: number) => `${partial}/${number}.bad.json`,
	intent: (partial: string, group: number) => `${partial}/group-${group}.json`,
	/** The intent of a group of live sets. */
	liveIntent: (partial: string, group: number) => `${partial}/live-${group}.json`,
}

/** What is being removed under a token, by its number. */
export const removing = {
	folder: (partial: string, number: number) => `${partial}/${number}.removed`,
	receipt: (partial: string, number: number) => `${partial}/${number}.removed.json`,
	intent: (partial: string, group: number) => `${partial}/removal-${group}.json`,
}

/** A receipt that is being rewritten under a token, by its number. */
export const marking = {
	receipt: (partial: string, number: number) => `${partial}/${number}.marked.json`,
}

/** What a repair puts together under a token, by its number. */
export const repairing = {
	file: (partial: string, number: number) => `${partial}/${number}.repaired`,
	/** One more name of it, on its way into the mirror. */
	name: (partial: string, number: number) => `${partial}/${number}.repaired-name`,
	/** A folder that stood in the file's place. */
	bad: (partial: string, number: number) => `${partial}/${number}.unfit`,
}
