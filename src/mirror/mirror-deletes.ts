import { setTimeout as sleep } from 'node:timers/promises'
import PQueue from 'p-queue'
import { tableName } from '../cassandra/find-tables.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { steadyMs } from '../files/builtins.ts'
import { type ClearedSnapshot, decideRemoval, type Sight, type Verdict } from './cleared.ts'
import { explain, isOneSnapshots } from './one-snapshots.ts'
import { judged, type Pass } from './pass.ts'

/** What is remembered between looks for `--mirror-deletes`. */
export interface MirrorDeletes {
	/** How long after its seal a snapshot stays whatever happens, in ms. */
	graceMs: number
	/** How far apart the two looks are, in ms, at which a snapshot has to be gone. */
	apartMs: number
	/** By table: which snapshots were found gone, and when first, by the steady clock. */
	gone: Map<string, { table: Table; sinceMs: Map<string, number> }>
	/** By keyspace or table, data directory and kind of doubt: why snapshots are left in the haven, as it was told. */
	told: Map<string, string>
}

type Table = Pick<TableLocation, 'keyspace' | 'table'>

/** Begins with nothing remembered. */
export function makeMirrorDeletes(times: Pick<MirrorDeletes, 'graceMs' | 'apartMs'>): MirrorDeletes {
	return { ...times, gone: new Map(), told: new Map() }
}

/** Where it can't be told whether a snapshot was cleared, and nothing changes there, it is looked at again after this time. */
const DOUBT_MS = 60_000
/** A timer takes no more than 24 days. */
const PAUSE_MS_MAX = 86_400_000

/**
 * Removes from the haven what was cleared on the node of a table, in a dry run tells of it. It takes two calls, at least
 * `apartMs` apart: gives in how many ms to call again, undefined where nothing waits for it. To be called after a look at
 * the table has mirrored what is there. Throws where the haven fails.
 */
export async function removeCleared(pass: Pass, { keyspace, table }: Table): Promise<number | undefined> {
	const { deletes, haven, engine, options } = pass
	if (!deletes || !haven || pass.signal.aborted) return undefined
	const { cleared, sights } = await engine.run('findCleared', haven.base, options.dataDirectories, { keyspace, table })
	const key = `${keyspace}/${table}`
	const { graceMs, apartMs } = deletes
	const times = { nowMs: Date.now(), steadyMs: steadyMs(), graceMs, apartMs }
	const goneSinceMs = deletes.gone.get(key)?.sinceMs ?? new Map<string, number>()
	const evidence = { sights, matchesTag: options.matchesTag, goneSinceMs, ...times }
	const decided = cleared.map((snapshot) => ({ snapshot, ...decideRemoval(snapshot, evidence) }))
	remember(deletes, { keyspace, table }, decided)
	tellDoubts(pass, deletes, { keyspace, table }, sights, decided)
	const removable = decided.filter(({ verdict }) => verdict === 'remove').map(({ snapshot }) => snapshot)
	if (removable.length > 0) await remove(pass, { keyspace, table }, removable)
	const pauses = decided.flatMap((one) => ('inMs' in one ? [one.inMs] : one.verdict === 'in doubt' ? [DOUBT_MS] : []))
	return pauses.length === 0 ? undefined : Math.min(PAUSE_MS_MAX, ...pauses)
}

type Decided = Verdict & { snapshot: ClearedSnapshot }

/** Only what is found gone by this look too has been gone since an earlier one. */
function remember({ gone }: MirrorDeletes, table: Table, decided: Decided[]): void {
	const key = `${table.keyspace}/${table.table}`
	const before = gone.get(key)?.sinceMs
	const again = decided.filter(({ verdict }) => verdict === 'look again').map(({ snapshot }) => snapshot.receiptId)
	const now = steadyMs()
	if (again.length === 0) gone.delete(key)
	else gone.set(key, { table, sinceMs: new Map(again.map((id) => [id, before?.get(id) ?? now])) })
}

/** Tells each doubt once; one of sight again when it had been over. One of identity is so for each of the receipts. */
function tellDoubts(
	{ totals }: Pass,
	{ told }: MirrorDeletes,
	table: Table,
	sights: Sight[],
	decided: Decided[],
): void {
	const scopes = { keyspace: table.keyspace, table: `${table.keyspace}.${tableName(table.table)}` }
	const doubts = new Map(
		decided.flatMap((one) => {
			if (one.verdict !== 'in doubt') return []
			const { of, why, dataDirectory, problem } = one.doubt
			const place = `${scopes[of]} ${dataDirectory}`
			return [[why === 'sight' ? place : `${place} ${problem}`, { what: scopes[of], problem }]]
		}),
	)
	for (const { dataDirectory, there } of sights) {
		for (const what of there === 'unknown' ? [] : Object.values(scopes)) {
			if (!doubts.has(`${what} ${dataDirectory}`)) told.delete(`${what} ${dataDirectory}`)
		}
	}
	for (const [key, { what, problem }] of doubts) {
		if (told.get(key) === problem) continue
		told.set(key, problem)
		const message = `snapshots of ${what} that are not on the node any more stay in the haven: ${problem}`
		totals.tell({ type: 'warning', message })
	}
}

async function remove(pass: Pass, { keyspace, table }: Table, cleared: ClearedSnapshot[]): Promise<void> {
	const { totals, writing } = pass
	const nameOf = ({ tag }: ClearedSnapshot) => ({ keyspace, table, tag })
	if (!writing) {
		for (const snapshot of cleared) totals.tell({ type: 'removable', snapshot: nameOf(snapshot) })
		return
	}
	const wanted = cleared.map((one) => ({ key: nameOf(one), receiptId: one.receiptId }))
	const removed = await writing.remover.remove(wanted)
	for (const [index, one] of removed.entries()) {
		const snapshot = wanted[index]?.key
		if (snapshot && one.removed) totals.tell({ type: 'removed', snapshot, bytes: one.bytes })
	}
}

/** Tables that are gone from the node with all their snapshots, and that the haven has receipts of. */
export async function findVanishedTables(pass: Pass, present: Table[]): Promise<TableLocation[]> {
	const { deletes, haven, engine, options } = pass
	if (!deletes || !haven) return []
	const vanished = await engine.run('findVanished', haven.base, options.keyspaces, present)
	return vanished
		.filter(({ table }) => options.matchesTable(tableName(table)))
		.map((table) => ({ ...table, dataDirectories: [] }))
}

const TABLES_AT_A_TIME = 256

/**
 * Ends a pass that has looked once at these tables: looks at those that are gone too, and a second time at all of which
 * something was gone.
 */
export async function finishCleared(pass: Pass, present: Table[]): Promise<void> {
	const { deletes, signal } = pass
	if (!deletes || signal.aborted) return
	try {
		await eachTable(pass, await findVanishedTables(pass, present))
		const again = [...deletes.gone.values()].map(({ table }) => table)
		if (again.length === 0) return
		// By our own clock the pause may seem a little shorter.
		await sleep(deletes.apartMs + 10, undefined, { signal })
		await eachTable(pass, again)
	} catch (error) {
		if (!signal.aborted) pass.fail(error)
	}
}

async function eachTable(pass: Pass, tables: Table[]): Promise<void> {
	const queue = new PQueue({ concurrency: TABLES_AT_A_TIME })
	await queue.addAll(tables.map((table) => () => removeClearedOrTell(pass, table)))
}

async function removeClearedOrTell(pass: Pass, table: Table): Promise<void> {
	try {
		await removeCleared(pass, table)
	} catch (failed) {
		const error = await judged(pass, failed)
		if (pass.signal.aborted) return
		if (!isOneSnapshots(error)) return pass.fail(error)
		const message = `what was cleared of ${table.keyspace}.${table.table} could not be removed from the haven: ${explain(error)}`
		pass.totals.tell({ type: 'trouble', message })
	}
}
