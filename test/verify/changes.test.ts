import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import PQueue from 'p-queue'
import { runAsync } from '../../src/files/io.ts'
import { receiptPath, snapshotFolder } from '../../src/haven/layout.ts'
import { withChecksum, withoutChecksum } from '../../src/haven/sealed-text.ts'
import { type Engine, start } from '../../src/mirror/engine.ts'
import { verifyHaven } from '../../src/mirror/verify.ts'
import { verifyTable } from '../../src/mirror/verify-table.ts'
import type { VerifyEvent } from '../../src/mirror/verify-types.ts'
import { makeScene } from '../mirror/support/scene.ts'
import { takeSnapshot } from '../support/tree.ts'
import { flipBit } from './support.ts'

const ALL = { isAll: true, wantsTable: () => true, wantsTag: () => true, wantsTime: () => true }

/** Verifies a snapshot with a damaged file; `change` comes after all was read, before anything is called damage. */
async function verifyWhile(
	t: ExecutionContext,
	change: (place: { haven: string; receipt: string; file: string; key: object }) => void,
) {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const { haven } = scene
	const key = { keyspace: 'ks', table: scene.node.folders[0] ?? '', tag: 'daily' }
	const [receipt, file] = [join(haven, receiptPath(key)), join(haven, snapshotFolder(key), 'nb-1-big-Data.db')]
	flipBit(file)
	let isChanged = false
	const run: Engine['run'] = (name, ...args) => {
		if (name === 'whatBecameOf' && !isChanged) {
			isChanged = true
			change({ haven, receipt, file, key })
		}
		return runAsync(start(name, args)) as Promise<never>
	}
	const events: VerifyEvent[] = []
	const work = {
		base: haven,
		engine: { run, slices: 2, width: 1 },
		queue: new PQueue({ concurrency: 2 }),
		...{ grainNs: undefined, quick: false, dataDirectories: [], onRead: () => {} },
		signal: new AbortController().signal,
		tell: (event: VerifyEvent) => void events.push(event),
	}
	const verified = await verifyTable(work, [key])
	t.true(isChanged)
	return { events, ...verified }
}

test('damage of a snapshot that nobody touches is told', async (t) => {
	const { events, damaged, proven } = await verifyWhile(t, () => {})
	t.deepEqual(
		events.map(({ type }) => type),
		['damage'],
	)
	t.deepEqual([damaged, proven], [1, []])
})

test('a snapshot that is removed meanwhile is left out, and is no damage', async (t) => {
	const { events, damaged, snapshots } = await verifyWhile(t, ({ receipt }) => rmSync(receipt))
	t.deepEqual(
		events.map((event) => (event.type === 'left out' ? event.reason : event.type)),
		['it was removed meanwhile'],
	)
	t.deepEqual([damaged, snapshots], [0, 0])
})

test('a snapshot that an intent names by then is left out, and is no damage', async (t) => {
	const { events, damaged, leftOut } = await verifyWhile(t, ({ haven, key }) => {
		const partial = join(haven, '.snaphaven/partial/0123456789abcdef')
		mkdirSync(partial)
		const publications = [{ number: 0, key, receiptChecksum: '00000000' }]
		writeFileSync(join(partial, 'group-0.json'), withChecksum(JSON.stringify({ format: 1, publications })))
	})
	t.deepEqual(
		events.map(({ type }) => type),
		['left out'],
	)
	t.deepEqual([damaged, leftOut], [0, 1])
})

test('a snapshot that was sealed anew meanwhile is verified anew', async (t) => {
	const { events, damaged, snapshots, proven } = await verifyWhile(t, ({ receipt, file }) => {
		flipBit(file)
		const text = withoutChecksum(readFileSync(receipt, 'utf8'))
		writeFileSync(receipt, withChecksum(text.replace(/"id":"[^"]*"/, '"id":"anew"')))
	})
	t.deepEqual(events, [])
	t.deepEqual([damaged, snapshots, proven], [0, 1, ['anew']])
})

test('a snapshot that was away and came back as it was, since a seal of its tag was undone, is no damage', async (t) => {
	const { events, damaged, snapshots } = await verifyWhile(t, ({ file }) => flipBit(file))
	t.deepEqual(events, [])
	t.deepEqual([damaged, snapshots], [0, 1])
})

test('a verification that is ended early says so, and remembers what it found good by then', async (t) => {
	const scene = makeScene(t, { tables: 40, sstables: 1 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	// More tables than are ever at work at a time.
	const ending = new AbortController()
	const options = { haven: scene.haven, stateDirectory: scene.state, dataDirectories: [], selection: ALL }
	const rest = { quick: false, samplePercent: undefined, sinceLastMs: undefined }
	const tell = (event: VerifyEvent) => {
		if (event.type === 'progress') ending.abort()
		else t.fail(event.type)
	}
	const first = await verifyHaven({ ...options, ...rest }, tell, ending.signal)
	t.like(first, { isComplete: false, damages: 0, damaged: 0 })
	t.true(first.snapshots < 40)
	const later = { ...options, ...rest, sinceLastMs: 3_600_000 }
	const second = await verifyHaven(later, () => {}, new AbortController().signal)
	t.like(second, { isComplete: true, snapshots: 40 - first.snapshots, notChosen: first.snapshots })
})
