import { mkdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { openFolderOrOwnLink } from '../cassandra/list-snapshot.ts'
import { failure } from '../errors.ts'
import { constants } from '../files/builtins.ts'
import { below, flushOpened, itself, makeFolder } from '../files/folders.ts'
import { each, hasCode, type Io, runAsync } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { close, withOpen } from '../files/operations.ts'
import type { Haven } from '../haven/haven.ts'
import { withDataFolder } from './data-folders.ts'
import { onPlace } from './on-place.ts'
import { holdFolder } from './one-at-a-time.ts'
import { folderOf, type TablePlace } from './places.ts'
import { requireSpace } from './plan.ts'
import { readReceiptFor } from './receipt-for.ts'
import { restoreTable } from './restore-table.ts'
import type { PlannedTable, RestoreEvent, RestoreOptions, RestorePlan } from './types.ts'

/** Tables in flight at a time. */
const TABLES_WIDTH = 4

/**
 * Restores what a plan says, table by table, each whole or not at all, and tells of each. Throws an AbortError where the
 * signal ended it, and a SnaphavenError where nothing can go on; what was restored by then stays, and what was gathered
 * is gone on with by the next run.
 */
export async function restore(
	haven: Haven,
	plan: RestorePlan,
	options: RestoreOptions,
	signal: AbortSignal,
	tell: (event: RestoreEvent) => void,
): Promise<void> {
	requireSpace(plan, options.to)
	await makeTarget(options.to)
	const release = await holdFolder(options.to)
	const ended = new AbortController()
	const together = AbortSignal.any([signal, ended.signal])
	let failed: { error: unknown } | undefined
	const rest = plan.tables.filter(({ isThere }) => !isThere)
	try {
		const restoreIn = (root: number) =>
			each(rest, TABLES_WIDTH, function* (table) {
				try {
					together.throwIfAborted()
					yield* restoreOne(haven, root, table, options, together, tell)
				} catch (error) {
					failed ??= { error }
					ended.abort()
				}
			})
		await runAsync(withTarget(options.to, restoreIn))
		signal.throwIfAborted()
		if (failed) throw failed.error
	} finally {
		release()
	}
}

async function makeTarget(to: string): Promise<void> {
	try {
		await mkdir(to, { recursive: true })
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(`the folder ${to} can’t be made (${error.code})`, 'See that this user may write there.', error)
	}
}

/**
 * Works with the folder that was given, opened once: what somebody puts in its place or in it leads nowhere else. A link
 * there has to be root's or our own.
 */
function* withTarget<T>(to: string, work: (root: number) => Io<T>): Io<T> {
	const open = withOpen(pathOf(dirname(to)), constants.O_RDONLY | constants.O_DIRECTORY, (parent) =>
		openFolderOrOwnLink(parent, basename(to)),
	)
	const root = yield* onPlace(to, open)
	if (root === undefined) throw failure(`the folder ${to} is gone`)
	try {
		return yield* work(root)
	} finally {
		yield* close(root)
	}
}

function* restoreOne(
	{ base }: Haven,
	root: number,
	table: PlannedTable,
	options: RestoreOptions,
	signal: AbortSignal,
	tell: (event: RestoreEvent) => void,
): Io<void> {
	const { link, acceptDamaged } = options
	const { head, place } = table
	const { keyspace, name } = place
	const refuse = (reason: string, isDamage: boolean, damage: { path: string; reason: string }[] = []) =>
		tell({ type: 'refused', refusal: { keyspace, name, reason, isDamage }, damage, table })
	const read = yield* readReceiptFor(base, head, options)
	if (!('receipt' in read)) return refuse(read.problem, !read.gone)
	if (read.receipt.id !== head.id) return refuse('it was sealed anew meanwhile: run it again', false)
	const onBytes = (bytes: number) => tell({ type: 'progress', bytes })
	const order = { base, receipt: read.receipt, note: { root, place }, name, link, acceptDamaged, signal, onBytes }
	const restoring = withKeyspace(root, place, (parent) => restoreTable({ ...order, parent }))
	const { restored, damage, leftOut, changed } = yield* onPlace(folderOf(place), restoring)
	if (changed !== undefined) return refuse(`its snapshot was replaced or removed meanwhile (${changed})`, false)
	if (!restored) return refuse('the haven’s copy is damaged', true, damage)
	for (const one of damage) tell({ type: 'damaged file', table, ...one })
	tell({ type: 'restored', table, leftOut })
}

/** Works with the keyspace's folder, made where it is missing; a link there has to be root's or our own. */
function* withKeyspace<T>(root: number, { keyspace }: TablePlace, work: (folder: number) => Io<T>): Io<T> {
	if (yield* makeFolder(below(root, keyspace), 0o777)) yield* flushOpened(root)
	return yield* withDataFolder(itself(root), keyspace, work)
}
