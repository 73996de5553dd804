import { keepCheckpoints } from './checkpoints.ts'
import { gatherRest, joined } from './gather-in-slices.ts'
import { keyOf, type SlicePlan } from './gather-order.ts'
import type { GatheredLive } from './live-decision.ts'
import type { LiveOrder } from './live-look.ts'
import type { Pass, Writing } from './pass.ts'
import { reserveFor } from './reserve.ts'
import type { ResumedPiece } from './resume.ts'
import type { PieceResult } from './transfer-file.ts'

/**
 * Gathers files of a table's live SSTables, in slices, going on with what an earlier run had gathered of them. What is
 * gone from the node meanwhile is not among what it gives.
 */
export async function gatherLive(
	pass: Pass,
	writing: Writing,
	order: LiveOrder,
	plan: SlicePlan,
): Promise<GatheredLive[]> {
	const { engine, totals } = pass
	const { keyspace, table } = keyOf(order)
	const inherited = writing.inherited.find(
		({ key }) => key.keyspace === keyspace && key.table === table && key.tag === order.tag,
	)
	const resumed = inherited ? await engine.run('resumablePieces', order.base ?? '', plan.transfers, inherited) : []
	const reservation = await reserveFor(writing, plan.transfers, resumed)
	const checkpoints = keepCheckpoints(pass, writing, order)
	try {
		if (inherited && resumed.length > 0) {
			await engine.run('resumeGathering', order, plan.transfers, inherited, resumed)
		}
		totals.measured({
			files: plan.transfers.length,
			bytes: plan.transfers.reduce((sum, { file }) => sum + file.size, 0),
		})
		const gather: Parameters<typeof gatherRest>[0]['gather'] = (part, slice) =>
			engine.run('gatherLiveSlice', order, part, slice)
		const done = await gatherRest({ pass, plan, resumed, reservation, checkpoints, gather })
		return filesOf(plan, done)
	} catch (error) {
		if (pass.signal.aborted) await checkpoints.finish()
		throw error
	} finally {
		reservation.release()
	}
}

/** Those files of which every piece has come. */
function filesOf({ transfers }: SlicePlan, done: ResumedPiece[]): GatheredLive[] {
	const bytes = new Map<number, number>()
	for (const { piece } of done) bytes.set(piece.index, (bytes.get(piece.index) ?? 0) + piece.length)
	const whole = done.filter(({ piece }) => bytes.get(piece.index) === transfers[piece.index]?.file.size)
	const results = joined(
		whole.map(({ piece }) => piece),
		whole.map(({ result }) => result),
	)
	return transfers.flatMap(({ file, from }, index): GatheredLive[] => {
		const result: PieceResult | undefined = results[index]
		if (!result) return []
		return [{ file, crc: result.crc, how: result.how, from, text: result.text }]
	})
}
