import test from 'ava'
import { execa } from 'execa'
import fc from 'fast-check'
import { type Line, reserve } from '../../src/mirror/limit-rate.ts'
import { startCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { takeSnapshot } from '../support/tree.ts'
import { makeScene, trueReceipts } from './support/scene.ts'

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

/** Waits until the first bytes of a Data.db are in the haven; false where the command has ended before. */
async function hasBegun(running: ReturnType<typeof startCli>, haven: string): Promise<boolean> {
	while (running.exitCode === null && running.signalCode === null) {
		const { stdout } = await execa('find', [haven, '-name', '*Data.db', '-size', '+100k'], { reject: false })
		if (stdout !== '') return true
	}
	return false
}

test('a pass with --limit-rate waits for its turn, ends at once when it is told to, and leaves nothing half done', async (t) => {
	const { node, haven, state } = makeScene(t, { sstables: 1, dataBytes: 4 * 1024 * 1024 })
	takeSnapshot(node, 'daily')
	// At this rate it takes a minute.
	const words = ['sync', '--once', '-s', haven, ...node.flags, '--limit-rate', '64K', node.keyspace]
	const running = startCli(words, { stateDirectory: state })
	t.true(await hasBegun(running, haven))
	running.kill('SIGTERM')
	t.not((await running).exitCode, 0)
	t.deepEqual(trueReceipts(t, { haven }), [])
})

test('--limit-rate changes nothing in what arrives', async (t) => {
	const scene = makeScene(t, { tables: 2, sstables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(['--limit-rate', '1G'])
	assertMirrored(scene.node, scene.haven)
})
