import { listSnapshot, type TableLocation } from '../cassandra/list-snapshot.ts'
import { isSettled } from '../cassandra/settled.ts'
import { atOnce, each, type Io } from '../files/io.ts'
import type { Baseline, LeftAlone } from '../haven/baseline.ts'
import type { Engine } from './engine.ts'
import { lookAtTable } from './look.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import type { Pass } from './pass.ts'
import { prunedIdentity, prunedKey } from './pruned-key.ts'

/** What is on the node of the wanted keyspaces. */
interface Present {
	/** Names of the keyspaces that are there. */
	keyspaces: string[]
	tables: TableLocation[]
	/** A service: what was there when it began to watch (see seeSnapshots). Whatever came since is new. */
	seen?: ReadonlySet<string>
}

/**
 * The snapshots that are on the node now, by name and identity. A service looks before it says that it watches: what is
 * taken after that is never left alone, however long it takes until the haven can be opened.
 */
export async function seeSnapshots(
	{ run }: Pick<Engine, 'run'>,
	tables: TableLocation[],
): Promise<ReadonlySet<string>> {
	const seen = await Promise.all(
		tables.map(async (location) => {
			const look = await run('lookAtTable', undefined, location).catch(unlessOneSnapshots)
			return look?.snapshots.map((one) => seenAs(location, one)) ?? []
		}),
	)
	return new Set(seen.flat())
}

function seenAs(
	{ keyspace, table }: { keyspace: string; table: string },
	one: { tag: string; identity: string[] },
): string {
	return [keyOf(keyspace, table, one.tag), ...one.identity].join('\n')
}

/** What can't be looked at counts as new: it is told of when it is to be mirrored. */
function unlessOneSnapshots(error: unknown): undefined {
	if (!isOneSnapshots(error)) throw error
}

/**
 * Gives each keyspace its beginning where it has none in this haven: without `--fullsync`, what is settled on the node by
 * now is left alone from then on. A keyspace that is not there yet, or came after the haven, begins with nothing. The
 * baseline is durable when this returns; a dry run saves none.
 */
export async function beginKeyspaces(pass: Pass, present: Present): Promise<Pass> {
	const { engine, haven, writing, options } = pass
	const none: Baseline = { format: 1, all: false, keyspaces: {} }
	const baseline = haven ? await engine.run('readBaseline', haven.base) : none
	for (const one of baseline.pruned ?? []) pass.pruned.set(prunedKey(one), prunedIdentity(one))
	const all = options.keyspaces === 'all'
	const wanted = options.keyspaces === 'all' ? present.keyspaces : options.keyspaces
	const fresh = wanted.filter((keyspace) => !Object.hasOwn(baseline.keyspaces, keyspace))
	if (fresh.length > 0 || (all && !baseline.all)) {
		const begunAt = new Date().toISOString()
		for (const keyspace of fresh) {
			const isNew = options.fullsync || baseline.all || !present.keyspaces.includes(keyspace)
			const tables = isNew ? [] : present.tables.filter((location) => location.keyspace === keyspace)
			const settled = await findSettled(pass, tables)
			const leftAlone = settled.filter((one) => present.seen?.has(seenAs({ keyspace, table: one.table }, one)) ?? true)
			baseline.keyspaces[keyspace] = { begunAt, leftAlone }
		}
		baseline.all ||= all
		const flushFolders = haven?.record.capabilities.folderFlush ?? false
		if (haven && writing)
			await engine.run('writeBaseline', haven.base, writing.lease.partial, baseline, { flushFolders })
		if (!options.fullsync) tellBegun(pass, baseline, fresh)
	}
	if (options.fullsync) return pass
	const known = index(baseline)
	return {
		...pass,
		leftAlone: ({ keyspace, table }, { tag, identity }) =>
			known.get(keyOf(keyspace, table, tag)) === identity.join('\n'),
	}
}

function tellBegun({ totals }: Pass, { keyspaces }: Baseline, fresh: string[]): void {
	for (const keyspace of fresh) {
		totals.tell({ type: 'begun', keyspace, leftAlone: keyspaces[keyspace]?.leftAlone.length ?? 0 })
	}
}

async function findSettled({ engine, haven, options }: Pass, tables: TableLocation[]): Promise<LeftAlone[]> {
	const found = await Promise.all(
		tables.map(async (location) => {
			return await engine.run('findSettled', haven?.base, location, options.settleMs).catch(unlessOneSnapshots)
		}),
	)
	return found.flatMap((one) => one ?? [])
}

/** The snapshots of a table that are settled now and that the haven has not: what is still being written counts as new. */
export function* findSettledOf(base: string | undefined, location: TableLocation, settleMs: number): Io<LeftAlone[]> {
	const look = yield* lookAtTable(base, location)
	const unknown = look.snapshots.filter(({ haven }) => haven === 'nothing')
	const found = yield* each(unknown, 1, function* ({ tag, identity }) {
		const listing = yield* atOnce(listSnapshot(location, tag))
		if (!listing) return undefined
		const question = { keyspace: location.keyspace, tag, before: listing, after: listing, nowMs: Date.now(), settleMs }
		return isSettled(question).verdict === 'settled' ? { table: location.table, tag, identity } : undefined
	})
	return found.filter((one) => one !== undefined)
}

function index({ keyspaces }: Baseline): Map<string, string> {
	return new Map(
		Object.entries(keyspaces).flatMap(([keyspace, { leftAlone }]) =>
			leftAlone.map(({ table, tag, identity }): [string, string] => [keyOf(keyspace, table, tag), identity.join('\n')]),
		),
	)
}

function keyOf(keyspace: string, table: string, tag: string): string {
	return `${keyspace}/${table}/${tag}`
}
