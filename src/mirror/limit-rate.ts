import type { Io } from '../files/io.ts'
import { pause } from '../files/operations.ts'

/** What may be read of the node's files in this process (`--limit-rate`): a line that its readers queue on. */
export interface Line {
	bytesPerSecond: number
	/** From this instant of the steady clock on, in ns, the next byte may be read. */
	freeNs: bigint
}

/** Time that nobody used counts for so long: who slept a little too long makes up for it. */
const CREDIT_NS = 100_000_000n

/** The longest sleep: a stop ends it sooner. */
const SLEEP_MS_MAX = 100

let line: Line | undefined

/** Lets this thread read no more than so many bytes a second of the node's files from now on; undefined: as it likes. */
export function limitRate(bytesPerSecond: number | undefined): void {
	line = bytesPerSecond === undefined ? undefined : { bytesPerSecond, freeNs: 0n }
}

/** Whether `waitForTurn` may wait: to ask is cheaper than to begin it for each of many small files. */
export function isLimited(): boolean {
	return line !== undefined
}

/** Waits until so many bytes may be read, or `stopped` is not 0. */
export function* waitForTurn(bytes: number, stopped: Int32Array): Io<void> {
	if (!line) return
	const turnNs = reserve(line, bytes, process.hrtime.bigint())
	for (;;) {
		const leftMs = Number(turnNs - process.hrtime.bigint()) / 1e6
		if (leftMs <= 0 || Atomics.load(stopped, 0) !== 0) return
		yield* pause(Math.min(leftMs, SLEEP_MS_MAX))
	}
}

/** Takes the next place on the line for so many bytes: the instant from which on they may be read. */
export function reserve(on: Line, bytes: number, nowNs: bigint): bigint {
	const earliest = nowNs - CREDIT_NS
	const turnNs = on.freeNs > earliest ? on.freeNs : earliest
	on.freeNs = turnNs + BigInt(Math.ceil((bytes * 1e9) / on.bytesPerSecond))
	return turnNs
}
