import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseComponent } from '../../src/cassandra/sstable.ts'
import { filesIn, leftNothing } from '../restore/support/scene.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { passed } from './support/bench.ts'
import { indexAnswers, rowsOf, tableName } from './support/give-back.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { makeCqlsh, makeNodetool } from './support/programs.ts'
import { buildSai, createShop, remakeEvents, shopKeyspaces, writeRound } from './support/shop.ts'
import { liveTables } from './support/snapshots.ts'

const settings = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 } as const

let own: string
let node: CassandraNode
let nodetool: string
/** The rows of each table when the snapshot `good` was taken. */
const rows = new Map<string, string[]>()

const places = () => ['-s', join(own, 'haven'), ...node.dataDirectories.flatMap((path) => ['--data-dir', path])]
const jmx = () => ['--nodetool', nodetool, '--host', '127.0.0.1', '--port', String(node.jmxPort)]
/** On a busy machine each nodetool may take a while. */
const run = (...args: string[]) => runCli(args, { stateDirectory: join(own, 'state'), timeoutMs: 280_000 })

async function start(): Promise<void> {
	node = await startNode(join(own, 'cassandra'), settings)
	nodetool = await makeNodetool(own, node)
}

test.before('a node has tables with both kinds of index, and a sealed snapshot', async (t) => {
	own = await mkdtemp(join(tmpdir(), 'snaphaven-cassandra-'))
	try {
		await start()
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
	await createShop(node)
	await buildSai(node)
	await writeRound(node, 0, 30)
	await node.nodetool('flush')
	await writeRound(node, 1, 30)
	passed(t as ExecutionContext, await run('snapshot', ...places(), ...jmx(), '-t', 'good', ...shopKeyspaces))
	for (const { keyspace, name } of await liveTables(node, shopKeyspaces)) {
		rows.set(`${keyspace}.${name}`, await rowsOf(node, keyspace, name))
	}
	await writeRound(node, 4, 15)
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

/** The tables have the rows of the snapshot, and both kinds of index answer by them. */
async function assertAsBefore(t: ExecutionContext, tables: string[]): Promise<void> {
	t.true(rows.size >= 8 && tables.length > 0)
	for (const table of tables) {
		const expected = rows.get(table) ?? []
		const [keyspace = '', name = ''] = table.split('.')
		t.deepEqual(await rowsOf(node, keyspace, name), expected, table)
	}
	const { orders, found, expected } = await indexAnswers(node, ['customer', 'total'])
	t.is(orders, 60)
	t.deepEqual(found, expected)
}

/** What sstableverify says of each table, index and data, every value read. */
async function verifyTables(tables: string[]): Promise<string[]> {
	const outputs: string[] = []
	for (const table of tables) {
		const [keyspace = '', name = ''] = table.split('.')
		outputs.push(await node.tool('StandaloneVerifier', '--force', '--extended', keyspace, name))
	}
	return outputs
}

/** It has read some SSTables, each to its end; where it finds anything, it ends with an error. */
function assertClean(t: ExecutionContext, output: string): void {
	const begun = output.match(/^Verifying /gm)?.length ?? 0
	t.true(begun > 0, output)
	t.is(output.match(/^Verify of .* succeeded\. All \d+ rows read successfully$/gm)?.length, begun, output)
}

/** For each SSTable of a table, its indexes' too: which data directories have a file of it. */
function placesOf(table: string): Set<string>[] {
	const [keyspace = '', name = ''] = table.split('.')
	const places = new Map<string, Set<string>>()
	for (const directory of node.dataDirectories) {
		for (const folder of readdirSync(join(directory, keyspace)).filter((one) => tableName(one) === name)) {
			for (const path of filesIn(join(directory, keyspace, folder))) {
				const sstable = parseComponent(path)?.prefix
				if (sstable === undefined || /^(snapshots|backups)\//.test(path)) continue
				places.set(sstable, (places.get(sstable) ?? new Set()).add(directory))
			}
		}
	}
	return [...places.values()]
}

/** Those that data is lost of in one of the three ways each. */
const LOST = ['shop.orders', 'shop.events', 'shop.carts']

const said = ({ stdout, stderr }: CliResult) => stdout + stderr

test.serial('--import gives all back to tables truncated, dropped, and made again with a new id', async (t) => {
	await node.cql('TRUNCATE shop.orders')
	await remakeEvents(node)
	await node.cql('DROP TABLE shop.carts')
	const restore = ['restore', ...places(), ...jmx(), '-t', 'good', '--import', ...LOST]
	const lacking = await run(...restore)
	t.is(lacking.exitCode, 1, said(lacking))
	t.regex(lacking.stderr, /^refused: shop\.carts: the node has no such table/m)
	t.regex(lacking.stderr, /^warning: truncated since the snapshot was taken: /m)
	const cqlsh = await makeCqlsh(own, node.cqlPort)
	const rest = passed(t, await run(...restore, '--create-schema', '--cqlsh', cqlsh))
	t.regex(rest.stdout, /^restored shop\.carts good/m)
	t.regex(rest.stdout, /^there already shop\.orders good/m)
	await assertAsBefore(t, LOST)
	for (const output of await verifyTables(['shop.orders'])) assertClean(t, output)
	leftNothing(t, node)
})

test.serial('--to makes what nodetool import loads by the very command that is printed', async (t) => {
	await node.cql('TRUNCATE shop.orders')
	const to = join(own, 'back')
	const { stdout } = passed(t, await run('restore', ...places().slice(0, 2), '-t', 'good', '--to', to, 'shop.orders'))
	const command = /^ {2}nodetool (import .*)$/m.exec(stdout)?.[1]?.split(' ') ?? []
	t.deepEqual(command.slice(0, 4), ['import', '--copy-data', 'shop', 'orders'])
	await node.nodetool(...command)
	await assertAsBefore(t, ['shop.orders'])
})

test.serial('--as gives old rows to another table, beside the new ones', async (t) => {
	const columns = '(id int PRIMARY KEY, customer text, total int, note text)'
	const args = ['restore', ...places(), ...jmx(), '-t', 'good', '--import', '--as', 'shop.then', 'shop.orders']
	t.regex(
		(await run(...args)).stderr,
		/^refused: shop\.then: the node has no such table; make it with the same columns/m,
	)
	await node.cql(`CREATE TABLE shop.then ${columns}`)
	await node.cql('TRUNCATE shop.orders')
	const { stdout } = passed(t, await run(...args, '--count-rows', '--cql', `127.0.0.1:${node.cqlPort}`))
	t.regex(stdout, /^restored shop\.orders good as shop\.then, .*; 60 rows, 0 before$/m)
	t.deepEqual(await rowsOf(node, 'shop', 'then'), rows.get('shop.orders'))
	t.deepEqual(await rowsOf(node, 'shop', 'orders'), [])
	leftNothing(t, node)
})

test.serial('--offline gives all back to a node that is stopped, and is refused while it runs', async (t) => {
	const tables = ['shop.orders', 'shop.visits', 'audit.log']
	for (const table of tables) await node.cql(`TRUNCATE ${table}`)
	await writeRound(node, 6, 5)
	const args = ['restore', ...places(), '-t', 'good', '--offline', '--replace', ...tables]
	const running = await run(...args)
	t.is(running.exitCode, 1, said(running))
	t.regex(running.stderr, /Cassandra is running on these data directories \(process \d+\)/)
	await node.nodetool('drain')
	await node.stop()
	const result = await run(...args)
	const verified = await verifyTables(['shop.orders', 'audit.log'])
	const spread = tables.map(placesOf)
	await start()
	passed(t, result)
	await assertAsBefore(t, tables)
	for (const output of verified) assertClean(t, output)
	t.true(spread.flat().every((directories) => directories.size === 1))
	t.is(new Set(spread.flatMap((ofTable) => ofTable.flatMap((directories) => [...directories]))).size, 2)
})
