import { performance } from 'node:perf_hooks'
import test from 'ava'
import fc from 'fast-check'
import { type Line, reserve } from '../../src/mirror/limit-rate.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeScene } from './support/scene.ts'

const CHUNK = 256 * 1024
const SECOND = 1_000_000_000n

/** Simulates readers that take turns for so many seconds, each of them waking up to `lateMs` after its turn. */
function bytesRead(rate: number, readers: number, seconds: number, lateMs: () => number): number {
	const line: Line = { bytesPerSecond: rate, freeNs: 0n }
	const startNs = 1000n * SECOND
	const endNs = startNs + BigInt(seconds) * SECOND
	const wakeNs = Array.from({ length: readers }, () => reserve(line, CHUNK, startNs))
	let bytes = 0
	for (;;) {
		const first = wakeNs.reduce((least, at, index) => (at < (wakeNs[least] as bigint) ? index : least), 0)
		const turnNs = wakeNs[first] as bigint
		if (turnNs >= endNs) return bytes
		bytes += CHUNK
		const nowNs = (turnNs > startNs ? turnNs : startNs) + BigInt(Math.round(lateMs() * 1e6))
		wakeNs[first] = reserve(line, CHUNK, nowNs)
	}
}

test('over a minute the rate is kept within 5 %, also where readers sleep a little too long', (t) => {
	const rates = fc.integer({ min: 1024 * 1024, max: 1024 ** 3 })
	const late = fc.infiniteStream(fc.double({ min: 0, max: 50, noNaN: true }))
	fc.assert(
		fc.property(rates, fc.integer({ min: 1, max: 96 }), late, (rate, readers, lateness) => {
			const slow = Math.min(rate, 64 * 1024 * 1024)
			const read = bytesRead(slow, readers, 60, () => lateness.next().value as number) / 60
			return read < slow * 1.05 && (readers < 16 || read > slow * 0.95)
		}),
		{ numRuns: 50 },
	)
	t.pass()
})

test('time that nobody used is not made up for', (t) => {
	const line: Line = { bytesPerSecond: 1000, freeNs: 0n }
	const hourNs = 3600n * SECOND
	t.is(reserve(line, 1000, hourNs), hourNs - SECOND / 10n)
	t.is(reserve(line, 1000, hourNs), hourNs + (9n * SECOND) / 10n)
})

test('--limit-rate keeps a pass from reading faster, and changes nothing else', async (t) => {
	const scene = makeScene(t, { tables: 2, sstables: 1, dataBytes: 1024 * 1024 })
	takeSnapshot(scene.node, 'daily')
	const start = performance.now()
	await scene.syncWell(['--limit-rate', '1M'])
	// Less the last chunk's time and what a line that was idle gives.
	t.true(performance.now() - start > 2000 - 250 - 100)
	assertMirrored(scene.node, scene.haven)
})
