import { listSnapshot } from '../cassandra/list-snapshot.ts'
import { createFile, ownAs, READ } from '../files/contents.ts'
import { FOLDER, flushOpened } from '../files/folders.ts'
import { atOnce, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { fchmod, fsync, futimes, withOpen } from '../files/operations.ts'
import { gathering } from '../haven/layout.ts'
import { onHaven } from '../haven/trouble.ts'
import { incomplete } from './check-contents.ts'
import { type Draft, draftReceipt } from './draft.ts'
import type { GatherAnswer, GatherOrder, Plan } from './gather-order.ts'
import { discard } from './gather-slice.ts'
import type { Transfer } from './plan.ts'
import { decide } from './plan-snapshot.ts'
import { findDamage, type GatheredFile, type ReusableFile } from './proof.ts'
import { withTexts } from './read-texts.ts'
import { SLICE_BYTES_MAX } from './slices.ts'
import { ALL_BITS, dress, type PieceResult } from './transfer-file.ts'

/** The second look, the proofs, and the receipt beside the gathered folder: all that comes before publishing. */
export function* completeGathering(order: GatherOrder, plan: Plan, results: PieceResult[]): Io<GatherAnswer> {
	const after = yield* atOnce(listSnapshot(order.location, order.tag, plan.listing))
	if (!after) return yield* drop(order, { answer: 'gone' })
	const verdict = decide(order, plan.listing, after)
	if (verdict.verdict !== 'settled') return yield* drop(order, { answer: 'not settled', verdict })
	const files = yield* withTexts(
		order,
		plan.transfers.map((transfer, index) => gathered(transfer, results[index])),
	)
	const unusable = incomplete(files)
	if (unusable) return yield* drop(order, unusable)
	const draft: Draft = {
		order,
		listing: after,
		transfers: plan.transfers,
		results,
		damage: findDamage(files),
		proof: verdict.proof,
	}
	const { receipt, text, publication, amounts } = draftReceipt(draft)
	yield* onHaven(dressFolders(order, plan))
	yield* onHaven(writeDraft(order, text))
	return {
		answer: 'gathered',
		publication,
		state: receipt.state,
		damage: draft.damage,
		amounts,
		leftOut: after.leftOut,
		bytes: receipt.byteCount,
		inSlices: false,
		flushFailures: order.flushFailures,
	}
}

function gathered({ file: { path }, from }: Transfer, result: PieceResult | undefined): ReusableFile & GatheredFile {
	if (!result) throw new Error(`no result for ${path}`)
	return { path, crc: result.crc, text: result.text, how: result.how, from }
}

/** Owner, mode and times of folders, and of files that came in pieces. */
function* dressFolders(order: GatherOrder, { listing, transfers }: Plan): Io<void> {
	const root = `${order.base}/${gathering.folder(order.partial, order.number)}`
	yield* dressPieced(order, transfers)
	const dressed = new Set<string>()
	for (const folder of listing.folders) {
		if (dressed.has(folder.path)) continue
		dressed.add(folder.path)
		yield* withOpen(pathOf(folder.path === '' ? root : `${root}/${folder.path}`), FOLDER, function* (fd) {
			yield* ownAs(fd, folder)
			yield* fchmod(fd, folder.mode | OWN_BITS)
			const seconds = Number(folder.mtimeNs) / 1e9
			yield* futimes(fd, seconds, seconds)
			if (order.flushEach) yield* flushOpened(fd)
		})
	}
}

/** Owner, mode and times of files that came in pieces. */
export function* dressPieced(
	order: Pick<GatherOrder, 'base' | 'partial' | 'number' | 'flushEach'>,
	transfers: Transfer[],
): Io<void> {
	const root = `${order.base}/${gathering.folder(order.partial, order.number)}`
	for (const transfer of transfers) {
		if (!cameInPieces(transfer)) continue
		// What came whole after all has its mode already, and may be a file that is not to be written.
		yield* withOpen(pathOf(`${root}/${transfer.file.path}`), READ, function* (fd) {
			yield* dress(fd, transfer, ALL_BITS)
			if (order.flushEach) yield* fsync(fd)
		})
	}
}

/** Whether a file came in pieces, and has attributes of its own. */
function cameInPieces({ how, shared, file }: Transfer): boolean {
	return file.size > SLICE_BYTES_MAX && (how === 'copied' || (how === 'reflinked' && shared === true))
}

/** Who is not root can rename and remove only folders that they may write: what was read-only on the node as well. */
const OWN_BITS = process.geteuid?.() === 0 ? 0 : 0o700

function* writeDraft(order: GatherOrder, text: string): Io<void> {
	yield* createFile(`${order.base}/${gathering.receipt(order.partial, order.number)}`, text, {
		mode: 0o644,
		flush: order.flushEach,
	})
}

function* drop(order: GatherOrder, answer: GatherAnswer): Io<GatherAnswer> {
	yield* discard(order)
	return answer
}
