import { mkdirSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { findLive } from '../../src/cassandra/live-sstables.ts'
import { lookAtLive } from '../../src/cassandra/look-at-live.ts'
import { runSync } from '../../src/files/io.ts'
import { fixtureNames, readExpected, unpackFixture } from '../support/fixtures.ts'
import { ownFolder } from '../support/folder.ts'
import { runInterleaved } from './support/interleave.ts'
import { MadeNode, wrongRows } from './support/made-node.ts'
import { textOf } from './support/transaction-logs.ts'

const TABLE = 'orders-00000000000000000000000000000001'
const LOG = 'nb_txn_flush_a5c2f160-e58a-11f1-ba75-8140cf8cdd6e.log'
const COMPONENTS = ['Data.db', 'Statistics.db', 'Index.db', 'CompressionInfo.db', 'TOC.txt']

function makeSSTable(folder: string, prefix: string): void {
	mkdirSync(folder, { recursive: true })
	for (const component of COMPONENTS) writeFileSync(join(folder, prefix + component), component)
}

test('all live folders of a table are seen, and nothing of snapshots, backups and what is no component', (t) => {
	const own = ownFolder(t)
	const [one, two] = [join(own, 'd1'), join(own, 'd2')]
	const [first, second] = [join(one, 'shop', TABLE), join(two, 'shop', TABLE)]
	makeSSTable(first, 'nb-1-big-')
	makeSSTable(second, 'nb-2-big-')
	makeSSTable(join(second, '.by_customer'), 'nb-1-big-')
	makeSSTable(join(first, 'backups'), 'nb-1-big-')
	makeSSTable(join(first, 'snapshots/daily'), 'nb-1-big-')
	writeFileSync(join(first, 'nb-1-big-Statistics.db.tmp'), '')
	writeFileSync(join(first, 'manifest.json'), '')
	for (const folder of [first, second, join(second, '.by_customer')]) writeFileSync(join(folder, LOG), '')
	writeFileSync(join(first, '.strange'), '')
	symlinkSync('backups', join(first, '.link'))
	const dataDirectories = [one, join(own, 'none'), two]
	const listing = runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories }))
	t.deepEqual(listing?.dataDirectories, [one, two])
	t.deepEqual(
		listing?.folders.map(({ directory, path, files, logs }) => [directory, path, files.length, [...logs.keys()]]),
		[
			[0, '', 5, [LOG]],
			[1, '', 5, [LOG]],
			[1, '.by_customer', 5, [LOG]],
		],
	)
	t.is(listing?.folders[0]?.files.find(({ name }) => name === 'nb-1-big-Data.db')?.size, 'Data.db'.length)
	t.true(listing && findLive(listing).sstables.every(({ state }) => state === 'live'))
})

test('a table that is not there has nothing that is live', (t) => {
	const listing = runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories: [ownFolder(t)] }))
	t.deepEqual(listing, { table: TABLE, dataDirectories: [], parents: [], folders: [] })
})

test('no link is followed: a component or a log that is one counts as damaged', (t) => {
	const directory = ownFolder(t)
	const folder = join(directory, 'shop', TABLE)
	makeSSTable(folder, 'nb-1-big-')
	makeSSTable(folder, 'nb-2-big-')
	writeFileSync(join(directory, 'elsewhere'), textOf([{ type: 'COMMIT' }]))
	const look = () => {
		const listing = runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories: [directory] }))
		return listing ? findLive(listing) : undefined
	}
	unlinkSync(join(folder, 'nb-2-big-Index.db'))
	symlinkSync('nb-1-big-Index.db', join(folder, 'nb-2-big-Index.db'))
	t.deepEqual(
		look()?.sstables.map(({ state, reason }) => [state, reason]),
		[
			['live', undefined],
			['incomplete', 'nb-2-big-Index.db is no regular file'],
		],
	)
	symlinkSync(join(directory, 'elsewhere'), join(folder, LOG))
	t.like(look()?.logs[0], { state: 'damaged', problem: 'it is no regular file' })
})

test('a table that can’t be looked into fails by name, with what to do', (t) => {
	const directory = ownFolder(t)
	mkdirSync(join(directory, 'shop'))
	writeFileSync(join(directory, 'shop', TABLE), '')
	const look = () => runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories: [directory] }))
	t.throws(look, { name: 'SnaphavenError', message: `can’t read "shop/${TABLE}" on the node (ENOTDIR)` })
})

test('a log that is no UTF-8 is damaged', (t) => {
	const directory = ownFolder(t)
	makeSSTable(join(directory, 'shop', TABLE), 'nb-1-big-')
	writeFileSync(join(directory, 'shop', TABLE, LOG), Buffer.of(0xff, 0xfe, 0x0a))
	const listing = runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories: [directory] }))
	t.is(listing && findLive(listing).logs[0]?.state, 'damaged')
})

test('the TOC.txt of an SSTable that may lack its CompressionInfo.db is asked', (t) => {
	const directory = ownFolder(t)
	const folder = join(directory, 'shop', TABLE)
	for (const prefix of ['nb-1-big-', 'nb-2-big-']) makeSSTable(folder, prefix)
	for (const prefix of ['nb-1-big-', 'nb-2-big-']) unlinkSync(join(folder, `${prefix}CompressionInfo.db`))
	writeFileSync(join(folder, 'nb-1-big-TOC.txt'), COMPONENTS.join('\n'))
	utimesSync(join(folder, 'nb-1-big-TOC.txt'), 1, 1)
	const listing = runSync(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories: [directory] }))
	const found = listing && findLive(listing).sstables.map(({ state }) => state)
	t.deepEqual(found, ['incomplete', 'live'])
})

for (const name of fixtureNames) {
	test(`all SSTables of a node at rest are live: ${name}`, async (t) => {
		const root = await unpackFixture(name)
		t.teardown(() => rm(root, { recursive: true }))
		const { dataDirectories, tables, format, sstableVersion } = await readExpected(root)
		const places = dataDirectories.map((directory) => join(root, directory))
		for (const { keyspace, table, rows } of tables) {
			const listing = runSync(lookAtLive({ keyspace, table, dataDirectories: places }))
			const { sstables } = listing ? findLive(listing) : { sstables: [] }
			for (const { state, prefix } of sstables) {
				t.is(state, 'live')
				t.true(
					prefix.slice(prefix.lastIndexOf('/') + 1).startsWith(`${sstableVersion}-`) && prefix.endsWith(`-${format}-`),
				)
			}
			if (rows === undefined) t.is(sstables.length, 0)
			else if (rows > 0) t.true(sstables.length > 0)
		}
	})
}

/** What Cassandra does, and how many steps of it are done before the look begins. */
const SCENES = [
	['flush', 0],
	['flushTwo', 0],
	['flushTwo', 14],
	['compact', 0],
	['compact', 9],
	['giveUp', 0],
	['giveUp', 7],
] as const

test('whatever Cassandra does between any two calls of a look, it finds what was live at one instant, or nothing', (t) => {
	const own = ownFolder(t)
	const seen = { found: 0, notFound: 0 }
	for (const [action, ahead] of SCENES) {
		for (const stepsACall of [1, 100]) {
			let isOver = false
			for (let begin = 0; !isOver; begin++) {
				const dataDirectories = [join(own, 'd1'), join(own, 'd2')]
				const folders = dataDirectories.map((directory) => join(directory, 'shop', TABLE))
				for (const folder of folders) mkdirSync(folder, { recursive: true })
				const node = new MadeNode(folders)
				for (let flush = 0; flush < 3; flush++) for (const _ of node.flush());
				const steps = node[action]()
				for (let step = 0; step < ahead; step++) steps.next()
				isOver = true
				const act = (calls: number) => {
					if (calls < begin) return
					isOver = false
					for (let step = 0; step < stepsACall; step++) steps.next()
				}
				const listing = runInterleaved(lookAtLive({ keyspace: 'shop', table: TABLE, dataDirectories }), act)
				seen[listing ? 'found' : 'notFound']++
				for (const folder of folders) rmSync(folder, { recursive: true })
				if (!listing) continue
				const { sstables } = findLive(listing)
				const scene = JSON.stringify({
					action,
					ahead,
					stepsACall,
					begin,
					sstables: sstables.map((one) => [one.prefix, one.state]),
				})
				const live = sstables.filter(({ state }) => state === 'live').map(({ prefix }) => prefix)
				t.is(wrongRows(live, { atLeast: 3, atMost: 5 }), undefined, scene)
				t.false(
					sstables.some(({ state }) => state === 'incomplete'),
					scene,
				)
			}
		}
	}
	t.true(seen.found > 50, JSON.stringify(seen))
})

test('while SSTables are flushed, compacted and given up, each look finds every row in one live SSTable, and in one alone', async (t) => {
	const own = ownFolder(t)
	const dataDirectories = [join(own, 'd1'), join(own, 'd2')]
	const folders = dataDirectories.map((directory) => join(directory, 'shop', TABLE))
	for (const folder of folders) mkdirSync(folder, { recursive: true })
	const stop = new Int32Array(new SharedArrayBuffer(4))
	const writer = new Worker(new URL('support/busy-node.ts', import.meta.url), { workerData: { folders, stop } })
	t.teardown(() => writer.terminate())
	let failed: unknown
	writer.once('error', (error) => {
		failed = error
	})
	const location = { keyspace: 'shop', table: TABLE, dataDirectories }
	const seen = { looks: 0, ofRunning: 0, ofCommitted: 0, temporary: 0, obsolete: 0 }
	let flushed = 0
	const isEnough = () => seen.looks >= 60 && Object.values(seen).every((count) => count >= 3)
	while (!isEnough()) {
		await setImmediate()
		if (failed) throw failed
		const listing = runSync(lookAtLive(location))
		if (!listing) continue
		const { sstables, logs } = findLive(listing)
		if (logs.some(({ state }) => state === 'running')) seen.ofRunning++
		if (logs.some(({ state }) => state === 'committed')) seen.ofCommitted++
		for (const { state } of sstables) if (state === 'temporary' || state === 'obsolete') seen[state]++
		seen.looks++
		const live = sstables.filter(({ state }) => state === 'live').map(({ prefix }) => prefix)
		const scene = JSON.stringify({ sstables: sstables.map(({ prefix, state }) => [prefix, state]), logs })
		t.is(wrongRows(live, { atLeast: flushed, atMost: 1e6 }), undefined, scene)
		flushed = Math.max(flushed, ...live.map((prefix) => Number(prefix.split('-')[1]) % 1e6))
		t.false(
			sstables.some(({ state }) => state === 'incomplete'),
			scene,
		)
	}
	Atomics.store(stop, 0, 1)
	await new Promise((resolve) => writer.once('exit', resolve))
	t.pass()
})
