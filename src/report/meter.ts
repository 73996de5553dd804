import type { Progress } from '../mirror/types.ts'

/** How fast a pass is, and how long it will still take. */
export interface Pace {
	/** Bytes per second. */
	rate: number
	/** Milliseconds; undefined while nothing can be said. */
	left: number | undefined
}

interface Sample {
	/** Milliseconds of a steady clock. */
	at: number
	files: number
	bytes: number
}

/** How far back the pace looks, in ms. */
const WINDOW = 10_000
/** Below this, in ms, no pace is told. */
const SHORTEST = 1_000

/** Measures a pass by what it told within the last ten seconds. */
export class Meter {
	#samples: Sample[] = []

	/** Takes a progress in, and tells the pace. now: milliseconds of a steady clock. */
	measure(progress: Progress, now: number): Pace {
		const sample = { at: now, files: progress.files.done, bytes: progress.bytes.done }
		this.#samples = [...this.#samples.filter(({ at }) => at > now - WINDOW), sample]
		return pace(this.#samples[0] ?? sample, sample, progress)
	}
}

/** Time left is the longer of what the bytes and what the files let expect: small files are paid for by the piece. */
function pace(first: Sample, last: Sample, progress: Progress): Pace {
	const ms = last.at - first.at
	if (ms < SHORTEST) return { rate: 0, left: undefined }
	const ofBytes = remaining(progress.bytes, last.bytes - first.bytes, ms)
	const ofFiles = remaining(progress.files, last.files - first.files, ms)
	const left = Math.max(ofBytes, ofFiles)
	return { rate: ((last.bytes - first.bytes) / ms) * 1000, left: Number.isFinite(left) ? left : undefined }
}

function remaining({ done, total }: { done: number; total: number }, gained: number, ms: number): number {
	return done >= total ? 0 : ((total - done) / gained) * ms
}
