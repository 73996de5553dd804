import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { runCli } from '../support/cli.ts'
import { memory } from '../support/folder.ts'
import { passed } from './support/bench.ts'
import { rowsOf } from './support/give-back.ts'
import { locate, say, sstableutil, wrongDigests } from './support/live.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { makeNodetool } from './support/programs.ts'

const SETTINGS = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 } as const
const TOKENS = ['-4611686018427387904', '4611686018427387904']
const ROWS = 200

let own: string
const running: CassandraNode[] = []

test.before('a folder for all nodes', async () => {
	own = await mkdtemp(join(memory, 'snaphaven-cassandra-'))
})

test.after.always('the nodes are gone', async () => {
	await Promise.all(running.map((node) => node.kill()))
	await rm(own, { recursive: true, force: true })
})

/** Starts a ring of a node for each token, one after another. */
async function startRing(name: string, tokens: string[]): Promise<CassandraNode[]> {
	const nodes: CassandraNode[] = []
	for (const [index, token] of tokens.entries()) {
		const seed = nodes[0]?.storagePort
		const ring = seed === undefined ? { token } : { token, seed }
		const node = await startNode(join(own, `${name}${index}`), { ...SETTINGS, ring })
		nodes.push(node)
		running.push(node)
	}
	return nodes
}

/** Waits until all nodes have the schema that the first has now. */
async function haveOneSchema(nodes: CassandraNode[]): Promise<void> {
	for (;;) {
		const all = await Promise.all(
			nodes.map(async ({ cql }) => [
				...(await cql('SELECT schema_version FROM system.local')),
				...(await cql('SELECT schema_version FROM system.peers_v2')),
			]),
		)
		const versions = new Set(all.flat().map((row) => String(row['schema_version'])))
		if (versions.size === 1 && all.every((seen) => seen.length === nodes.length)) return
		await sleep(100)
	}
}

async function endRing(nodes: CassandraNode[]): Promise<void> {
	for (const node of nodes) {
		running.splice(running.indexOf(node), 1)
		await node.kill()
		await rm(node.root, { recursive: true, force: true })
	}
}

/** Runs the command as on a node of a ring, whose haven is the one of this index. */
function on(node: CassandraNode, index: number) {
	const haven = ['-s', join(own, `haven${index}`)]
	const data = node.dataDirectories.flatMap((path) => ['--data-dir', path])
	const state = join(node.root, 'state')
	const run = async (t: ExecutionContext, command: string, ...args: string[]) =>
		passed(t, await runCli([command, ...haven, ...args], { stateDirectory: state, timeoutMs: 280_000 }))
	const jmx = async () => [
		...['--nodetool', await makeNodetool(node.root, node)],
		...['--host', '127.0.0.1', '--port', String(node.jmxPort)],
	]
	return { run, data, jmx, cql: ['--cql', `127.0.0.1:${node.cqlPort}`] }
}

async function keepAll(t: ExecutionContext, nodes: CassandraNode[]): Promise<void> {
	for (const [index, node] of nodes.entries()) {
		const { run, data, jmx, cql } = on(node, index)
		await run(t, 'snapshot', ...data, ...(await jmx()), ...cql, '-t', 'good', 'shop')
	}
}

test.serial(
	'a whole cluster comes back on other machines, with the tokens that it had, and into one of other tokens',
	async (t) => {
		const nodes = await startRing('first', TOKENS)
		const [{ cql } = raise()] = nodes
		await cql(`CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
		await cql('CREATE TABLE shop.orders (id int PRIMARY KEY, note text)')
		await haveOneSchema(nodes)
		for (let id = 0; id < ROWS; id++) await cql(`INSERT INTO shop.orders (id, note) VALUES (${id}, 'n${id}')`)
		const rows = await rowsOf(nodes[0] ?? raise(), 'shop', 'orders')
		t.is(rows.length, ROWS)
		await keepAll(t, nodes)
		await anticompact(t, nodes)
		await endRing(nodes)

		const tokens = await Promise.all(
			nodes.map(async (node, index) => {
				const { stdout } = await on(node, index).run(t, 'restore', '-t', 'good', '--tokens', 'shop')
				return /^initial_token: '(.*)'$/m.exec(stdout)?.[1] ?? ''
			}),
		)
		t.deepEqual(tokens, TOKENS)
		const others = await startRing('second', tokens)
		await on(others[0] ?? raise(), 0).run(
			...([t, 'restore', '-t', 'good', '--schema', '--apply', ...on(others[0] ?? raise(), 0).cql, 'shop'] as const),
		)
		await haveOneSchema(others)
		for (const [index, node] of others.entries()) {
			const { run, data, jmx } = on(node, index)
			await run(t, 'restore', '-t', 'good', '--import', ...data, ...(await jmx()), 'shop')
			const found = await rowsOf(others[0] ?? raise(), 'shop', 'orders')
			// Each haven has the rows of its own node's tokens.
			t.is(found.length === ROWS, index === 1, `${found.length} rows`)
		}
		await others[0]?.nodetool('repair', 'shop')
		t.deepEqual(await rowsOf(others[1] ?? raise(), 'shop', 'orders'), rows)
		await endRing(others)

		const [alone = raise()] = await startRing('third', ['0'])
		await on(alone, 0).run(t, 'restore', '-t', 'good', '--schema', '--apply', ...on(alone, 0).cql, 'shop')
		for (const index of nodes.keys()) {
			const copy = join(own, `copy${index}`)
			await on(alone, index).run(t, 'restore', '-t', 'good', '--to', copy, 'shop')
			const place = join(copy, 'shop/orders')
			t.true(readdirSync(place).some((name) => name.endsWith('-Data.db')))
			const ports = ['-p', String(alone.cqlPort), '-sp', String(alone.storagePort)]
			await alone.tool('BulkLoader', '-d', '127.0.0.1', ...ports, place)
		}
		t.deepEqual(await rowsOf(alone, 'shop', 'orders'), rows)
	},
)

/** An incremental repair rewrites SSTables by anticompaction; what we call live is looked at all the while. */
async function anticompact(t: ExecutionContext, [first = raise(), second = raise()]: CassandraNode[]): Promise<void> {
	await first.cql(`CREATE KEYSPACE both WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2}`)
	await first.cql('CREATE TABLE both.series (id int PRIMARY KEY, note text)')
	await haveOneSchema([first, second])
	for (let round = 0; round < 3; round++) {
		for (let id = 0; id < 50; id++) await first.cql(`INSERT INTO both.series (id, note) VALUES (${id}, 'r${round}')`)
		await first.nodetool('flush', 'both')
		await second.nodetool('flush', 'both')
	}
	const [location = raise()] = locate(first, 'both', 'series')
	const before = new Set(say(location).live)
	let busy = true
	// Of one range of two: the rest of each SSTable is left unrepaired, in another one.
	const repaired = first.nodetool('repair', '-pr', 'both').finally(() => {
		busy = false
	})
	let looks = 0
	while (busy) {
		const seen = say(location).live
		const final = new Set(await sstableutil(first, 'final', 'both', 'series'))
		const again = new Set(say(location).live)
		t.deepEqual(
			seen.filter((path) => again.has(path) && !final.has(path)),
			[],
		)
		looks += 1
	}
	await repaired
	t.true(looks > 0)
	for (const node of [first, second]) {
		const [place = raise()] = locate(node, 'both', 'series')
		const { live, doomed, others } = say(place)
		t.deepEqual([...live].sort(), await sstableutil(node, 'final', 'both', 'series'))
		t.deepEqual([doomed, others], [[], []])
		t.deepEqual(wrongDigests(live), [])
	}
	t.true(say(location).live.every((path) => !before.has(path)))
}

function raise(): never {
	throw new Error('there is no such node')
}
