import type { SealedHead } from '../haven/read-heads.ts'
import type { VerifyOptions } from './verify-types.ts'

/**
 * Which of the snapshots are verified this time: without those that were within `sinceLastMs`, and with `samplePercent` as
 * many of the rest as have that part of all their bytes, those first that were not verified for longest. So a sample each
 * night comes round to all.
 * @param verified When each was verified last, by its receipt's id.
 */
export function chooseToVerify(
	heads: readonly SealedHead[],
	verified: ReadonlyMap<string, string>,
	{ samplePercent, sinceLastMs }: Pick<VerifyOptions, 'samplePercent' | 'sinceLastMs'>,
	nowMs: number,
): SealedHead[] {
	const lastOf = ({ id }: SealedHead) => Date.parse(verified.get(id) ?? '') || Number.NEGATIVE_INFINITY
	const due = sinceLastMs === undefined ? [...heads] : heads.filter((head) => lastOf(head) < nowMs - sinceLastMs)
	if (samplePercent === undefined) return due
	due.sort((a, b) => compare(lastOf(a), lastOf(b)) || compare(a.takenAt, b.takenAt) || compare(a.table, b.table))
	const wanted = (due.reduce((sum, { byteCount }) => sum + byteCount, 0) * samplePercent) / 100
	let bytes = 0
	const end = due.findIndex(({ byteCount }) => {
		bytes += byteCount
		return bytes >= wanted
	})
	return end === -1 ? due : due.slice(0, end + 1)
}

function compare<T extends string | number>(one: T, other: T): number {
	return one < other ? -1 : one > other ? 1 : 0
}
