import { steadyMs } from '../files/builtins.ts'
import { combineCrc32 } from '../files/crc32-combine.ts'
import { enqueue } from './attempt.ts'
import { type Checkpoints, keepCheckpoints } from './checkpoints.ts'
import { type GatherAnswer, type GatherOrder, keyOf, type Plan, type SlicePlan } from './gather-order.ts'
import type { Pass, Writing } from './pass.ts'
import { type Reservation, reserveFor } from './reserve.ts'
import { donePiecesOf, type ResumedPiece } from './resume.ts'
import { isLargeShared, withShared } from './share-large.ts'
import { type Piece, SLICE_FILES_MAX, slicesOf } from './slices.ts'
import { SourceChanged } from './source-changed.ts'
import type { PieceResult } from './transfer-file.ts'

/** A large snapshot that is to be gathered. */
interface LargeGathering {
	pass: Pass
	writing: Writing
	order: GatherOrder
	plan: Plan
	/** Told how many ms it took, from when there was space for it. */
	onSpent: (ms: number) => void
}

/** Gathers a large snapshot, a slice a task, going on with what an earlier run had gathered of it. */
export async function gatherInSlices(gathering: LargeGathering): Promise<GatherAnswer> {
	const { pass, writing, order } = gathering
	const { engine, signal } = pass
	const checkpoints = keepCheckpoints(pass, writing, order)
	try {
		return await gatherLarge(gathering, checkpoints)
	} catch (error) {
		if (error instanceof SourceChanged) return await engine.run('lookAgain', order, error.message)
		// What is known to be durable stays for the next run to go on with.
		if (!signal.aborted || !(await checkpoints.finish())) await engine.run('discard', order)
		throw error
	}
}

async function gatherLarge(
	{ pass, writing, order, plan: planned, onSpent }: LargeGathering,
	checkpoints: Checkpoints,
): Promise<GatherAnswer> {
	const { engine, totals } = pass
	const key = keyOf(order)
	const inherited = writing.inherited.find((one) => isSame(one.key, key))
	// What can't be shared is copied: only now is it known how much space that takes, and what of it is there already.
	const plan = await sharedAhead(pass, order, planned)
	const resumed = inherited ? await engine.run('resumablePieces', order.base ?? '', plan.transfers, inherited) : []
	const reservation = await reserveFor(writing, plan.transfers, resumed)
	const beganMs = steadyMs()
	try {
		await enqueue(pass, 0, () => engine.run('beginGathering', order, plan.listing))
		if (inherited && resumed.length > 0) {
			await engine.run('resumeGathering', order, plan.transfers, inherited, resumed)
			checkpoints.wentOn()
		}
		totals.measured({
			files: plan.transfers.length,
			bytes: plan.transfers.reduce((sum, { file }) => sum + file.size, 0),
		})
		const gather: Rest['gather'] = (part, slice) => engine.run('gatherSlice', order, part, slice)
		const done = await gatherRest({ pass, plan, resumed, reservation, checkpoints, gather })
		const results = joined(
			done.map(({ piece }) => piece),
			done.map(({ result }) => result),
		)
		const answer = await enqueue(pass, 0, () => engine.run('completeGathering', order, plan, results))
		return answer.answer === 'gathered' ? { ...answer, inSlices: true } : answer
	} finally {
		onSpent(steadyMs() - beganMs)
		reservation.release()
	}
}

/** The plan once its large files that share the node's blocks do so. */
async function sharedAhead(pass: Pass, order: GatherOrder, plan: Plan): Promise<Plan> {
	const large = plan.transfers.filter(isLargeShared)
	if (large.length === 0) return plan
	const { dataDirectories, folders } = plan.listing
	const shared = await enqueue(pass, 0, () => pass.engine.run('shareLarge', order, { dataDirectories, folders }, large))
	return { ...plan, transfers: withShared(plan.transfers, large, shared) }
}

function isSame(one: ReturnType<typeof keyOf>, other: ReturnType<typeof keyOf>): boolean {
	return one.keyspace === other.keyspace && one.table === other.table && one.tag === other.tag
}

/** What is gathered in slices. */
export interface Rest {
	pass: Pass
	plan: SlicePlan
	/** What is there already. */
	resumed: ResumedPiece[]
	reservation: Reservation
	checkpoints: Checkpoints
	/** Gathers a slice: a result for each piece, undefined for what can't be had and can be done without. */
	gather: (plan: SlicePlan, slice: Piece[]) => Promise<(PieceResult | undefined)[]>
}

/**
 * Gathers the pieces that are not there yet; all of them that could be had, in the plan's order. Ends only when nothing is
 * in flight.
 */
export async function gatherRest({
	pass,
	plan,
	resumed,
	reservation,
	checkpoints,
	gather,
}: Rest): Promise<ResumedPiece[]> {
	const { engine, totals } = pass
	const filesMax = engine.width === 1 ? SLICE_FILES_MAX : ASYNCHRONOUS_SLICE_FILES
	const has = new Map(resumed.map((one) => [`${one.piece.index} ${one.piece.offset}`, one]))
	const slices = slicesOf(plan.transfers, filesMax)
		.map((slice) => slice.filter(({ index, offset }) => !has.has(`${index} ${offset}`)))
		.filter((slice) => slice.length > 0)
	const stop = new AbortController()
	const ended = await Promise.allSettled(
		slices.map(async (slice) => {
			const { plan: part, slice: pieces } = partOf(plan, slice)
			const results = await enqueue(pass, slices.length, async () => {
				stop.signal.throwIfAborted()
				const came = await gather(part, pieces)
				await reservation.came(part.transfers, pieces, came)
				return came
			}).catch((error: unknown) => {
				stop.abort(error)
				throw error
			})
			totals.arrived({
				files: slice.filter(({ whole, offset }) => whole || offset === 0).length,
				bytes: slice.reduce((sum, { length }) => sum + length, 0),
			})
			const done = slice.flatMap((piece, at): ResumedPiece[] => {
				const result = results[at]
				return result ? [{ piece, result }] : []
			})
			await checkpoints.done(donePiecesOf(plan.transfers, done))
			return done
		}),
	)
	if (stop.signal.aborted) throw stop.signal.reason
	const fresh = ended.flatMap((one) => {
		// A checkpoint's flush that failed: what it was for proves nothing.
		if (one.status === 'rejected') throw one.reason
		return one.value
	})
	return [...resumed, ...fresh].sort((a, b) => a.piece.index - b.piece.index || a.piece.offset - b.piece.offset)
}

/** With many calls in flight, slices are small, so that even one table's snapshot fills them. */
const ASYNCHRONOUS_SLICE_FILES = 8

/** A slice with its own transfers alone: what crosses into the thread that gathers it. */
function partOf({ listing, transfers }: SlicePlan, slice: Piece[]): { plan: SlicePlan; slice: Piece[] } {
	const indices = [...new Set(slice.map(({ index }) => index))]
	const { dataDirectories } = listing
	return {
		plan: { listing: { dataDirectories }, transfers: indices.flatMap((index) => transfers[index] ?? []) },
		slice: slice.map((piece) => ({ ...piece, index: indices.indexOf(piece.index) })),
	}
}

/** One result a file, the CRCs of its pieces combined in order. */
export function joined(pieces: Piece[], results: PieceResult[]): PieceResult[] {
	const files: PieceResult[] = []
	pieces.forEach(({ index, length }, at) => {
		const result = results[at] as PieceResult
		const before = files[index]
		files[index] = before ? { ...before, crc: combineCrc32(before.crc, result.crc, length) } : result
	})
	return files
}
