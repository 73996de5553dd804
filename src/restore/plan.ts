import { failure, usageError } from '../errors.ts'
import { each, type Io, runAsync } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere } from '../files/operations.ts'
import type { Haven } from '../haven/haven.ts'
import { LIVE, LIVE_RECEIPTS, safeName } from '../haven/layout.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { Receipt } from '../haven/receipt.ts'
import { onHaven } from '../haven/trouble.ts'
import { type Catalog, readCatalog } from '../mirror/read-catalog.ts'
import { ageWarnings } from './age-warnings.ts'
import { bytesFreeAt, checkTarget } from './check-target.ts'
import { type Choice, chooseSnapshots, nameOf } from './choose.ts'
import { lookAtPlace } from './marker.ts'
import { onPlace } from './on-place.ts'
import { folderOf, isCassandraName, partialOf, placeFor } from './places.ts'
import { readReceiptFor } from './receipt-for.ts'
import { overfull } from './spread.ts'
import type { ChooseOptions, PlannedTable, Refusal, RestoreOptions, RestorePlan } from './types.ts'
import { warningsOf } from './warnings.ts'

/**
 * Finds out what is to be copied to a folder, and whether it can be; writes nothing. Throws where there is nothing, where
 * something else stands in a table's place, and for a target that is unfit; what concerns single tables is refused in the
 * plan.
 */
export async function planRestore(haven: Haven, options: RestoreOptions): Promise<RestorePlan> {
	await checkTarget(options.to, haven.path)
	const { wanted, refused, warnings } = await chooseTables(haven, options)
	const looks = await runAsync(each(wanted, 16, (head) => onPlace(options.to, lookAtTable(haven.base, head, options))))
	refuseConflicts(looks)
	return {
		tables: looks.map(({ table }) => table),
		refused,
		warnings,
		bytesNeeded: options.link ? 0 : looks.reduce((sum, { bytesNeeded }) => sum + bytesNeeded, 0),
		bytesFree: await bytesFreeAt(options.to),
	}
}

/** What was chosen of a haven, by the tables' names. */
export interface ChosenTables {
	wanted: SealedHead[]
	refused: Refusal[]
	warnings: string[]
}

/** Chooses a snapshot for each table. Throws where there is none at all. */
export async function chooseTables(haven: Haven, options: ChooseOptions): Promise<ChosenTables> {
	const { wantsTable } = options
	const all = { wantsTable, wantsTag: () => true, wantsTime: () => true, live: isLive(options.when) }
	const catalog = await readCatalog(haven.base, all)
	const choice = chooseSnapshots(catalog.sealed, options.when, options.isNamed)
	const refused = [
		...choice.chosen.flatMap((head) => refusalOf(head, options, catalog)),
		...unbelieved(catalog, choice, options),
	]
	if (choice.chosen.length === 0 && refused.length === 0) throw nothingFound(catalog, options)
	const isRefused = new Set(refused.map(({ keyspace, name }) => `${keyspace}.${name}`))
	const wanted = choice.chosen.filter((head) => !isRefused.has(fullName(head))).sort(byName)
	if (options.as && wanted.length + refused.length !== 1) throw notOne(wanted)
	const aged = await runAsync(ageWarnings(haven.base, wanted, catalog, options.dataDirectories ?? []))
	return { wanted, refused, warnings: [...warningsOf({ choice, catalog, options, haven }), ...aged] }
}

/** Whether live sets are to be restored, and no snapshots. */
export function isLive(when: ChooseOptions['when']): boolean {
	return 'tag' in when && when.tag === LIVE
}

/** Throws unless what is still to be written fits. */
export function requireSpace({ bytesNeeded, bytesFree, disks = [] }: RestorePlan, to: string): void {
	const over = overfull(disks)
	const place = over
		? { to: over.disk.directory, needed: over.needed, free: over.disk.bytesFree }
		: { to, needed: bytesNeeded, free: bytesFree }
	if (place.needed <= place.free) return
	throw failure(
		`it does not fit into ${place.to}: it needs ${place.needed} bytes, and ${place.free} are free`,
		'Free some space there, give another place, or name single tables. Nothing was begun.',
	)
}

function refusalOf(head: SealedHead, { acceptDamaged, backupsUntilMs }: ChooseOptions, { sealed }: Catalog): Refusal[] {
	const { keyspace, state, tag } = head
	const name = nameOf(head)
	if (!isCassandraName(keyspace) || !isCassandraName(name)) {
		const reason = 'its name has signs other than letters, digits and _: Cassandra’s tools would load nothing of it'
		return [{ keyspace, name, isDamage: false, reason }]
	}
	const truncatedAt = backupsUntilMs === undefined ? undefined : whenTruncated(head, sealed, backupsUntilMs)
	if (truncatedAt !== undefined) {
		const reason = `it was truncated or dropped at ${truncatedAt}: its snapshot and incremental backups would bring back what was there before. Restore the snapshot without --backups`
		return [{ keyspace, name, isDamage: false, reason }]
	}
	if (state !== 'damaged' || acceptDamaged) return []
	const what = tag === LIVE ? 'live set' : `snapshot ${tag}`
	const reason = `its ${what} was damaged on the node when it was sealed; --accept-damaged takes it as it is`
	return [{ keyspace, name, isDamage: true, reason }]
}

/** When, between its snapshot and a time, Cassandra took a snapshot of a table by itself before it emptied it. */
function whenTruncated(head: SealedHead, sealed: readonly SealedHead[], untilMs: number): string | undefined {
	const takenMs = Date.parse(head.takenAt)
	const times = sealed
		.filter(({ keyspace, table }) => keyspace === head.keyspace && table === head.table)
		.map(({ tag }) => Number(/^(?:truncated|dropped)-(\d+)-/.exec(tag)?.[1] ?? Number.NaN))
		.filter((ms) => (ms >= takenMs - MOMENT_MS && ms <= untilMs) || head.tag.includes(`ed-${ms}-`))
	return times.length === 0 ? undefined : new Date(Math.max(...times)).toISOString()
}

/** The name of such a snapshot and the times in it are read from the clock one after the other. */
const MOMENT_MS = 1000

/** Tables of the tag whose snapshot does not count. */
function unbelieved(catalog: Catalog, { chosen }: Choice<SealedHead>, { when }: ChooseOptions): Refusal[] {
	if (!('tag' in when)) return []
	const has = new Set(chosen.map((head) => `${head.keyspace}.${nameOf(head)}`))
	const doubtful = catalog.inDoubt
		.filter((key) => key.tag === when.tag)
		.map((key) => ({
			keyspace: key.keyspace,
			name: nameOf(key),
			isDamage: false,
			reason: 'its snapshot is being sealed or removed just now, or a run was killed meanwhile: try again later',
		}))
	const bad = catalog.bad
		.filter(({ path }) => isReceiptOf(path, when.tag))
		.map(({ path, reason }) => {
			const names = when.tag === LIVE ? path.replace(/\.json$/, '/') : path
			const [table = '', keyspace = ''] = names.split('/').slice(-3, -1).reverse()
			return {
				keyspace,
				name: nameOf({ table }),
				isDamage: true,
				reason: `its receipt ${path} does not count: ${reason}`,
			}
		})
	return [...doubtful, ...bad].filter(({ keyspace, name }) => !has.has(`${keyspace}.${name}`))
}

function isReceiptOf(path: string, tag: string): boolean {
	return tag === LIVE ? path.startsWith(`${LIVE_RECEIPTS}/`) : path.endsWith(`/${safeName(tag)}.json`)
}

interface TableLook {
	table: PlannedTable
	conflict: string | undefined
	bytesNeeded: number
}

function* lookAtTable(base: string, head: SealedHead, options: RestoreOptions): Io<TableLook> {
	const { to, link, as } = options
	const place = placeFor(to, head, as)
	const untouched = { table: { head, place, isThere: false }, conflict: undefined, bytesNeeded: head.byteCount }
	const [folder, partial] = [yield* lstatIfThere(folderOf(place)), yield* lstatIfThere(partialOf(place))]
	if (!folder && !partial && options.backupsUntilMs === undefined) return untouched
	const read = yield* onHaven(readReceiptFor(base, head, options))
	if (!('receipt' in read)) return untouched
	const standing = yield* lookAtPlace(place, read.receipt, link)
	if (standing === 'nothing') {
		const bytes = read.receipt.files.reduce((sum, { size }) => sum + size, 0)
		return { ...untouched, bytesNeeded: bytes - (yield* bytesIn(partialOf(place), read.receipt)) }
	}
	if ('other' in standing) return { ...untouched, conflict: standing.other }
	return { ...untouched, table: { head, place, isThere: true }, bytesNeeded: 0 }
}

/** What an interrupted run has gathered already. */
function* bytesIn(partial: string, { files }: Receipt): Io<number> {
	const sizes = yield* each(files, 16, function* ({ path }) {
		return Number((yield* lstatIfThere(pathOf(`${partial}/${path}`)))?.size ?? 0)
	})
	return sizes.reduce((sum, size) => sum + size, 0)
}

function refuseConflicts(looks: TableLook[]): void {
	const [first, ...more] = looks.filter(({ conflict }) => conflict !== undefined)
	if (first === undefined) return
	const others = more.length === 0 ? '' : ` (and ${more.length} other tables’)`
	throw usageError(
		`${folderOf(first.table.place)} is there already${others}: ${first.conflict}`,
		'Nothing is overwritten. Give another folder, or move that one away.',
	)
}

function nothingFound({ sealed }: Catalog, { when }: ChooseOptions) {
	const newest = [...sealed].sort((one, other) => Date.parse(other.takenAt) - Date.parse(one.takenAt))
	const tags = [...new Set(newest.map(({ tag }) => tag))]
	const hint =
		tags.length === 0
			? 'No snapshot of these keyspaces and tables is in the haven at all: see snaphaven list.'
			: `Their newest tags: ${tags.slice(0, 5).join(', ')}. All: snaphaven list.`
	if (isLive(when)) {
		return failure('no live set is in the haven', 'They come with sync --sync-sstables.')
	}
	const what = 'tag' in when ? `with the tag ${when.tag}` : `taken at or before ${new Date(when.at).toISOString()}`
	return failure(`no snapshot ${what} is in the haven`, hint)
}

function notOne(wanted: SealedHead[]) {
	return usageError(
		`--as restores one table, and ${wanted.length} are chosen: ${wanted.map(fullName).join(', ')}`,
		'Name one: keyspace.table.',
	)
}

function fullName(head: SealedHead): string {
	return `${head.keyspace}.${nameOf(head)}`
}

function byName(one: SealedHead, other: SealedHead): number {
	return fullName(one) < fullName(other) ? -1 : 1
}
