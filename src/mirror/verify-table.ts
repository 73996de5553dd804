import type PQueue from 'p-queue'
import type { TableCopies } from '../haven/copies.ts'
import type { WantedCopy } from '../haven/good-copies.ts'
import { LIVE, receiptPath, type SnapshotKey, snapshotFolder } from '../haven/layout.ts'
import type { Engine } from './engine.ts'
import { type Damage, judgeCopies } from './judge-copies.ts'
import { type CopyRead, joinPieces, slicesToRead } from './verify-slices.ts'
import type { DamageFound, VerifyEvent } from './verify-types.ts'

/** What tables are verified with. */
export interface Verification {
	base: string
	engine: Engine
	/** Carries looks and slices. */
	queue: PQueue
	/** How finely the haven keeps times, ns; undefined where they are no matter. */
	grainNs: number | undefined
	quick: boolean
	dataDirectories: string[]
	signal: AbortSignal
	tell: (event: VerifyEvent) => void
	/** So much was read just now. */
	onRead: (read: { files: number; bytes: number }) => void
}

/** What a table came to. */
export interface TableVerified {
	/** The ids of receipts that were found good by reading every byte. */
	proven: string[]
	/** How many snapshots were looked at, and of these are not good. */
	snapshots: number
	damaged: number
	extra: number
	leftOut: number
	damages: DamageFound[]
}

/** How often a snapshot that was sealed anew meanwhile is begun with again. */
const TRIES_MAX = 3

/** Verifies some snapshots of one table, and tells what is wrong with them. Throws where the signal is aborted. */
export async function verifyTable(
	work: Verification,
	keys: SnapshotKey[],
	again: Again = FIRST,
): Promise<TableVerified> {
	const { engine, base, queue, grainNs, tell, signal } = work
	const keysOf = (snapshots: number[]) => snapshots.map((snapshot) => keys[snapshot] as SnapshotKey)
	const { tries, only, isSecond = false, tellsExtra = !only } = again
	const looked = await queue.add(() => engine.run('lookAtCopies', base, keys, grainNs), { signal })
	const copies = only ? restricted(looked, only) : looked
	const reads = await readCopies(work, copies)
	const judged = judgeCopies(keys[0]?.keyspace ?? '', copies, reads)
	const settled = await withoutChanges(work, keys, copies, judged)
	const { again: changed, leftOut } = settled
	// Once may have been while it was replaced in vain, and its older copy was away and came back.
	const doubted = isSecond ? [] : suspectsIn(settled.valid)
	const valid = isSecond ? settled.valid : without(settled.valid, doubted)
	const damages = await withGoodCopies(work, keys, copies, valid)
	for (const damage of damages) tell({ type: 'damage', damage })
	const doubtful = new Set([...leftOut.map(({ snapshot }) => snapshot), ...doubted])
	for (const { snapshot, reason } of leftOut) {
		tell({ type: 'left out', snapshot: keys[snapshot] as SnapshotKey, reason })
	}
	for (const [snapshot, { extra }] of copies.snapshots.entries()) {
		if (extra.length > 0 && tellsExtra && !changed.includes(snapshot) && !doubtful.has(snapshot)) {
			tell({ type: 'extra', snapshot: keys[snapshot] as SnapshotKey, paths: extra })
		}
	}
	const others = new Set([...changed, ...doubtful])
	let sum = withoutProof(summed(copies, valid, damages, others, leftOut.length), only)
	if (doubted.length > 0) {
		const paths = only ?? pathsToReadAgain(doubted, judged)
		const second = { tries, isSecond: true, tellsExtra, ...(paths ? { only: paths } : {}) }
		// What is read twice counts once.
		sum = added(sum, await verifyTable({ ...work, onRead: () => {} }, keysOf(doubted), second))
	}
	for (const part of Map.groupBy(changed, (snapshot) => keys[snapshot]?.tag === LIVE).values()) {
		const anew = keysOf(part)
		if (tries < TRIES_MAX) {
			// A live set becomes another one all the time: what was wrong with it is asked of that.
			const isLive = anew[0]?.tag === LIVE
			const more = isLive ? { tries: tries + 1, only: suspectsOf(part, judged) } : { tries: tries + 1 }
			sum = added(sum, await verifyTable(work, anew, more))
			continue
		}
		for (const snapshot of anew) tell({ type: 'left out', snapshot, reason: 'it is sealed anew again and again' })
		sum = { ...sum, leftOut: sum.leftOut + anew.length }
	}
	return sum
}

/** How often it was begun before, and to which paths it is restricted by now. */
interface Again {
	tries: number
	only?: ReadonlySet<string>
	/** It seemed damaged, and is looked at for the second time: what seems so again is. */
	isSecond?: boolean
	/** Files are told of that no receipt knows; by default where all of a snapshot is looked at. */
	tellsExtra?: boolean
}

const FIRST: Again = { tries: 1 }

function suspectsOf(snapshots: readonly number[], damages: readonly Damage[]): Set<string> {
	const touches = damages.flatMap((damage) => damage.touches)
	return new Set(touches.filter(({ snapshot }) => snapshots.includes(snapshot)).map(({ path }) => path))
}

/** Snapshots that seem damaged, and not since they were sealed. */
function suspectsIn(damages: readonly Damage[]): number[] {
	const found = damages.filter(({ atSource }) => !atSource).flatMap(({ touches }) => touches.map((one) => one.snapshot))
	return [...new Set(found)]
}

/** Undefined for all of them: whether Cassandra's own words hold is told by several files together. */
function pathsToReadAgain(snapshots: readonly number[], damages: readonly Damage[]): Set<string> | undefined {
	const theirs = damages.filter(({ touches }) => touches.some(({ snapshot }) => snapshots.includes(snapshot)))
	const isAll = theirs.some(({ kind, atSource }) => atSource || NO_COPIES.has(kind))
	return isAll ? undefined : suspectsOf([...snapshots], theirs)
}

function without(damages: readonly Damage[], snapshots: readonly number[]): Damage[] {
	return damages.flatMap((damage) => {
		const touches = damage.touches.filter(({ snapshot }) => !snapshots.includes(snapshot))
		return touches.length > 0 ? [{ ...damage, touches }] : []
	})
}

function restricted(copies: TableCopies, only: ReadonlySet<string>): TableCopies {
	return {
		snapshots: copies.snapshots,
		problems: copies.problems.filter(({ path }) => only.has(path)),
		copies: copies.copies.filter(({ claims }) => claims.some(({ path }) => only.has(path))),
	}
}

/** What was read in part is proven in part. */
function withoutProof(sum: TableVerified, only: ReadonlySet<string> | undefined): TableVerified {
	return only ? { ...sum, proven: [] } : sum
}

/** Reads what is to be read, a copy that is shared once. */
async function readCopies(work: Verification, { copies }: TableCopies): Promise<Map<number, CopyRead>> {
	const { engine, base, queue, quick, signal, onRead } = work
	const wanted = copies.map((copy, index) => ({ copy, index })).filter(({ copy }) => !quick || copy.isTouched)
	const slices = slicesToRead(wanted.map(({ copy }) => copy))
	const reads = await Promise.all(
		slices.map(async (slice) => {
			const pieces = slice.map(({ copy: _, ...piece }) => piece)
			const read = await queue.add(() => engine.run('readPieces', base, pieces, engine.width), { signal })
			const bytes = read.reduce((sum, one) => sum + ('code' in one ? 0 : one.length), 0)
			onRead({ files: slice.filter(({ isLast }) => isLast).length, bytes })
			return read
		}),
	)
	const joined = joinPieces(slices.flat(), reads.flat())
	return new Map([...joined].map(([copy, read]) => [wanted[copy]?.index ?? -1, read]))
}

interface Settled {
	valid: Damage[]
	/** Sealed anew meanwhile. */
	again: number[]
	leftOut: { snapshot: number; reason: string }[]
}

/** Asks of each snapshot that seems damaged whether it still is the one that was looked at (docs/haven-format.md). */
async function withoutChanges(
	{ engine, base }: Verification,
	keys: SnapshotKey[],
	copies: TableCopies,
	damages: Damage[],
): Promise<Settled> {
	const settled: Settled = { valid: [], again: [], leftOut: [] }
	const gone = new Set<number>()
	const suspects = new Set(
		damages.flatMap(({ touches, atSource }) => (atSource ? [] : touches.map((one) => one.snapshot))),
	)
	for (const snapshot of suspects) {
		const { id, problem } = copies.snapshots[snapshot] ?? {}
		const became = await engine.run('whatBecameOf', base, keys[snapshot] as SnapshotKey, id ?? '')
		if (became === 'same' || (became === 'damaged' && problem !== undefined)) continue
		gone.add(snapshot)
		if (became === 'another' || became === 'damaged') settled.again.push(snapshot)
		else if (became === 'gone') settled.leftOut.push({ snapshot, reason: 'it was removed meanwhile' })
		else settled.leftOut.push({ snapshot, reason: 'it is being sealed or removed, or a run was killed meanwhile' })
	}
	settled.valid = without(damages, [...gone])
	return settled
}

async function withGoodCopies(
	{ engine, base, dataDirectories }: Verification,
	keys: SnapshotKey[],
	copies: TableCopies,
	damages: Damage[],
): Promise<DamageFound[]> {
	const isCopy = ({ kind, atSource, touches }: Damage) => !atSource && !NO_COPIES.has(kind) && touches[0]?.path !== ''
	const replaceable = damages.filter(isCopy)
	const wanted = replaceable.map(({ touches }): WantedCopy => {
		const { snapshot, path } = touches[0] as Damage['touches'][number]
		return { key: keys[snapshot] as SnapshotKey, path }
	})
	const places = [...new Set([...dataDirectories, ...copies.snapshots.flatMap((one) => one.dataDirectories)])]
	const good = wanted.length === 0 ? [] : await engine.run('findGoodCopies', base, wanted, places)
	return damages.map((damage): DamageFound => {
		const { kind, reason, atSource, touches } = damage
		const index = replaceable.indexOf(damage)
		return {
			kind,
			reason,
			atSource,
			paths: touches.map(({ snapshot, path }) => pathIn(kind, keys[snapshot] as SnapshotKey, path)),
			snapshots: [...new Set(touches.map(({ snapshot }) => snapshot))].map((one) => keys[one] as SnapshotKey),
			good: index === -1 ? [] : (good[index] ?? []),
			targets: index === -1 ? [] : replaceableNames(touches, keys),
		}
	})
}

/** A file of a live set may be another one at any time: nothing is put in its place. */
function replaceableNames(touches: Damage['touches'], keys: SnapshotKey[]): DamageFound['targets'] {
	const names = touches.map(({ snapshot, path }) => ({ key: keys[snapshot] as SnapshotKey, path }))
	return names.filter(({ key }) => key.tag !== LIVE)
}

/** What no other copy can stand in for: the copy itself is as it was sealed. */
const NO_COPIES: ReadonlySet<Damage['kind']> = new Set(['receipt', 'digest', 'manifest', 'schema'])

function pathIn(kind: Damage['kind'], key: SnapshotKey, path: string): string {
	if (kind === 'receipt') return receiptPath(key)
	return path === '' ? snapshotFolder(key) : `${snapshotFolder(key)}/${path}`
}

function summed(
	{ snapshots }: TableCopies,
	valid: Damage[],
	damages: DamageFound[],
	without: ReadonlySet<number>,
	leftOut: number,
): TableVerified {
	const bad = new Set(
		valid.filter(({ atSource }) => !atSource).flatMap(({ touches }) => touches.map((one) => one.snapshot)),
	)
	const looked = [...snapshots.entries()].filter(([snapshot]) => !without.has(snapshot))
	return {
		proven: looked.flatMap(([snapshot, { id }]) => (id === undefined || bad.has(snapshot) ? [] : [id])),
		snapshots: looked.length,
		damaged: bad.size,
		extra: looked.reduce((sum, [, { extra }]) => sum + extra.length, 0),
		leftOut,
		damages,
	}
}

function added(one: TableVerified, other: TableVerified): TableVerified {
	return {
		proven: [...one.proven, ...other.proven],
		snapshots: one.snapshots + other.snapshots,
		damaged: one.damaged + other.damaged,
		extra: one.extra + other.extra,
		leftOut: one.leftOut + other.leftOut,
		damages: [...one.damages, ...other.damages],
	}
}
