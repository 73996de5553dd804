import { mkdir } from 'node:fs/promises'
import { failure } from '../errors.ts'
import { constants } from '../files/builtins.ts'
import { flushFolder, makeFolder } from '../files/folders.ts'
import { each, hasCode, type Io, runAsync } from '../files/io.ts'
import { withOpen } from '../files/operations.ts'
import type { Haven } from '../haven/haven.ts'
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
		await runAsync(
			each(rest, TABLES_WIDTH, function* (table) {
				try {
					together.throwIfAborted()
					yield* restoreOne(haven, table, options, together, tell)
				} catch (error) {
					failed ??= { error }
					ended.abort()
				}
			}),
		)
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

function* restoreOne(
	{ base }: Haven,
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
	const order = { base, receipt: read.receipt, note: place, name, link, acceptDamaged, signal, onBytes }
	const restoring = withKeyspace(place, (parent) => restoreTable({ ...order, parent }))
	const { restored, damage, leftOut, changed } = yield* onPlace(folderOf(place), restoring)
	if (changed !== undefined) return refuse(`its snapshot was replaced or removed meanwhile (${changed})`, false)
	if (!restored) return refuse('the haven’s copy is damaged', true, damage)
	for (const one of damage) tell({ type: 'damaged file', table, ...one })
	tell({ type: 'restored', table, leftOut })
}

/** Works with the keyspace's folder, made where it is missing. */
function* withKeyspace<T>({ root, keyspace }: TablePlace, work: (folder: number) => Io<T>): Io<T> {
	const path = `${root}/${keyspace}`
	if (yield* makeFolder(path, 0o777)) yield* flushFolder(root)
	return yield* withOpen(path, constants.O_RDONLY | constants.O_DIRECTORY, work)
}

function* onPlace<T>(folder: string, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(`${folder} can’t be restored (${error.code})`, 'See that this user may write there.', error)
	}
}
