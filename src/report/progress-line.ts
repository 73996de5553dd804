import type { Progress } from '../mirror/types.ts'
import { bytes, count, duration } from './amounts.ts'
import type { Pace } from './meter.ts'

/** `12/60 snapshots · 1,234/49,000 files · 12 MB/80 MB · 15 MB/s · 4s left`; without what nothing is to be done of. */
export function progressLine({ snapshots, files, bytes: size }: Progress, { rate, left }: Pace): string {
	const parts = [`${count(snapshots.done)}/${count(snapshots.total)} snapshots`]
	if (files.total > 0) {
		parts.push(`${count(files.done)}/${count(files.total)} files`, `${bytes(size.done)}/${bytes(size.total)}`)
	}
	if (rate > 0) parts.push(`${bytes(Math.round(rate))}/s`)
	if (left !== undefined && left > 0) parts.push(`${duration(Math.ceil(left / 1000) * 1000)} left`)
	return parts.join(' · ')
}
