import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { copy } from 'fs-extra/esm'
import type { TableLocation } from '../../src/cassandra/list-snapshot.ts'
import { memory } from '../support/folder.ts'
import { linkLive, locate, type Said, say, sstableutil, wrongDigests } from './support/live.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { createSeries, firstRows, keepWriting, writeNext } from './support/series.ts'
import { buildSai, createShop, writeRound } from './support/shop.ts'

const COPIES = 3
const ROWS = 20
const settings = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 } as const

let own: string
let node: CassandraNode

test.before('a node is up', async () => {
	own = await mkdtemp(join(memory, 'snaphaven-cassandra-'))
	try {
		node = await startNode(join(own, 'cassandra'), settings)
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

function table(keyspace: string, name: string): TableLocation {
	const [location, another] = locate(node, keyspace, name)
	if (location === undefined || another !== undefined) throw new Error(`expected one table ${keyspace}.${name}`)
	return location
}

/** Waits until a table has no transaction log: nothing of it is in flight. */
async function atRest(location: TableLocation): Promise<Said> {
	for (;;) {
		const said = say(location)
		if (said.logs.length === 0) return said
		await sleep(100)
	}
}

/** What we and Cassandra's own tool say of a table that was at rest all the while: a compaction may begin at any time. */
async function bothAtRest(keyspace: string, name: string): Promise<{ said: Said; final: string[] }> {
	for (;;) {
		const said = await atRest(table(keyspace, name))
		const final = await sstableutil(node, 'final', keyspace, name)
		if (isDeepStrictEqual(say(table(keyspace, name)), said)) return { said, final }
	}
}

/** Asserts that Cassandra's own tool says the very same of a table at rest. */
async function agree(t: ExecutionContext, keyspace: string, name: string): Promise<Said> {
	const { said, final } = await bothAtRest(keyspace, name)
	t.deepEqual([...said.live].sort(), final, `${keyspace}.${name}`)
	t.deepEqual([said.doomed, said.others], [[], []])
	t.deepEqual(wrongDigests(said.live), [])
	return said
}

/** Asserts that what we say before and after it asked is nothing that Cassandra's own tool calls temporary meanwhile. */
async function agreeInFlight(t: ExecutionContext, keyspace: string, name: string): Promise<void> {
	const location = table(keyspace, name)
	const before = new Set(say(location).live)
	const final = new Set(await sstableutil(node, 'final', keyspace, name))
	const both = say(location).live.filter((path) => before.has(path))
	t.deepEqual(
		both.filter((path) => !final.has(path)),
		[],
	)
}

test.serial('at rest the live set is sstableutil’s final one: flushed, indexed, compacted, truncated', async (t) => {
	await createShop(node)
	await writeRound(node, 0)
	await node.nodetool('flush', 'shop')
	await buildSai(node)
	const orders = await agree(t, 'shop', 'orders')
	t.true(orders.live.some((path) => path.includes('-SAI+')))
	await writeRound(node, 1)
	await node.nodetool('flush', 'shop')
	await node.nodetool('compact', 'shop', 'orders')
	await agree(t, 'shop', 'orders')
	const index = say(table('shop', 'orders'), '.orders_customer')
	t.true(index.live.length > 0)
	t.deepEqual([index.doomed, index.others, wrongDigests(index.live)], [[], [], []])
	await node.cql('TRUNCATE shop.carts')
	t.deepEqual((await agree(t, 'shop', 'carts')).live, [])
	await node.nodetool('upgradesstables', '-a', 'shop', 'readings')
	await agree(t, 'shop', 'readings')
})

test.serial(
	'among writes, flushes, compactions, upgrades, index builds and truncates each look is a set that loads: rows without a gap',
	async (t) => {
		const series = await createSeries(node, 'busy', 1)
		await writeNext(node, series)
		await node.nodetool('flush', 'busy')
		const location = table('busy', 't00')
		const looks: { folder: string; live: string[]; atLeast: number }[] = []
		let flushed = 1
		let inFlight = 0
		const look = () => {
			const atLeast = flushed
			const { live, logs } = say(location)
			if (logs.length > 0) inFlight++
			const folder = join(own, 'looks', String(looks.length))
			if (linkLive(live, folder)) looks.push({ folder, live, atLeast })
		}
		const stopWriting = keepWriting(node, series)
		let isOver = false
		const looking = (async () => {
			while (!isOver) {
				look()
				await sleep(20)
			}
		})()
		for (const act of [
			['flush', 'busy'],
			['compact', 'busy'],
			['upgradesstables', '-a', 'busy'],
			['flush', 'busy'],
			['compact', 'busy'],
		]) {
			const written = series.written.get('t00') ?? 0
			await node.nodetool(...act)
			if (act[0] === 'flush') flushed = written
		}
		await agreeInFlight(t, 'busy', 't00')
		await node.cql('CREATE INDEX busy_line ON busy.t00 (line)')
		await node.nodetool('flush', 'busy')
		await node.cql('DROP INDEX busy.busy_line')
		isOver = true
		await looking
		await stopWriting()
		t.true(looks.length > 20, `${looks.length} looks`)
		for (const { folder } of looks) {
			t.deepEqual(wrongDigests(readdirSync(folder).map((name) => join(folder, name))), [])
		}
		t.log(`${looks.length} looks, ${inFlight} of them with a transaction log`)
		await agree(t, 'busy', 't00')
		for (let turn = 0; turn < COPIES; turn++) {
			const { folder = '', atLeast = 0 } = looks[Math.floor(((turn + 1) * (looks.length - 1)) / COPIES)] ?? {}
			const rows = await rowsOf(folder, `copy${turn}`)
			t.true(rows >= atLeast && rows <= (series.begun.get('t00') ?? 0), `${rows} rows, at least ${atLeast}`)
		}
	},
)

/** Loads a copy of these files into a table of its own: how many rows it has, from the first on without a gap. */
async function rowsOf(folder: string, keyspace: string): Promise<number> {
	const series = await createSeries(node, keyspace, 1)
	const staged = join(own, 'staged', keyspace, 't00')
	await copy(folder, staged)
	await node.nodetool('import', keyspace, 't00', staged)
	return await firstRows(node, series, 't00')
}

/** Kills the node when it is seen to write temporary SSTables while it does this; anew where that was not seen. */
async function killWhile(
	location: TableLocation,
	prepare: (turn: number) => Promise<void>,
	act: string,
): Promise<void> {
	for (let turn = 0; turn < 20; turn++) {
		await prepare(turn)
		let isOver = false
		const end = () => {
			isOver = true
		}
		const acting = node.nodetool(act, 'large').then(end, end)
		while (!isOver) {
			if (say(location).doomed.some((path) => path.endsWith('-Data.db'))) {
				await node.kill()
				return await acting
			}
			await sleep(5)
		}
	}
	throw new Error(`no ${act} was seen`)
}

let written = 0

/** Writes rows that take long to flush and to compact. */
async function writeBlobs(): Promise<void> {
	const ids = Array.from({ length: ROWS }, () => written++)
	for (const id of ids) await node.cql('INSERT INTO large.blobs (id, bytes) VALUES (?, ?)', [id, randomBytes(500_000)])
}

/** Asserts that we and Cassandra's own tool tell what a killed node has left, and that it starts with the very same. */
async function assertUnderstood(t: ExecutionContext, location: TableLocation): Promise<void> {
	const killed = say(location)
	t.true(killed.doomed.length > 0)
	t.deepEqual(killed.others, [])
	t.deepEqual([...killed.live].sort(), await sstableutil(node, 'final', 'large', 'blobs'))
	t.deepEqual([...killed.doomed].sort(), await sstableutil(node, 'tmp', 'large', 'blobs'))

	node = await startNode(join(own, 'cassandra'), settings)
	const after = new Set((await agree(t, 'large', 'blobs')).live)
	t.deepEqual(
		killed.live.filter((path) => !after.has(path)),
		[],
	)
	t.false(killed.doomed.some((path) => existsSync(path)))
	t.is((await node.cql('SELECT id FROM large.blobs')).length, written)
}

test.serial(
	'killed in the middle of a compaction and of a flush, it leaves temporary SSTables, which are told from the live ones',
	async (t) => {
		await node.cql(`CREATE KEYSPACE large WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
		await node.cql(
			`CREATE TABLE large.blobs (id int PRIMARY KEY, bytes blob) WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'enabled': false}`,
		)
		await node.nodetool('setcompactionthroughput', '1')
		const location = table('large', 'blobs')
		const flushTwice = async () => {
			for (let flush = 0; flush < 2; flush++) {
				await writeBlobs()
				await node.nodetool('flush', 'large')
			}
		}
		await killWhile(location, flushTwice, 'compact')
		await assertUnderstood(t, location)
		await killWhile(location, writeBlobs, 'flush')
		await assertUnderstood(t, location)
	},
)
