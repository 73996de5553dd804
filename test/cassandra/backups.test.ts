import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { trueBackups } from '../backups/support/backups.ts'
import { SERVICE_TIMEOUT_MS, superviseService } from '../service/support/service.ts'
import { runCli, startCli } from '../support/cli.ts'
import { memory } from '../support/folder.ts'
import { passed } from './support/bench.ts'
import { indexAnswers, rowsOf } from './support/give-back.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { makeNodetool } from './support/programs.ts'
import { buildSai, createShop, writeRound } from './support/shop.ts'

const settings = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2, incrementalBackups: true } as const
const TABLES = ['orders', 'events']

let own: string
let node: CassandraNode
let nodetool: string

test.before('a node with incremental_backups, tables with both kinds of index, and rows is up', async () => {
	own = await mkdtemp(join(memory, 'snaphaven-cassandra-'))
	try {
		node = await startNode(join(own, 'cassandra'), settings)
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
	nodetool = await makeNodetool(own, node)
	await createShop(node)
	await buildSai(node)
	await writeRound(node, 0, 30)
	await node.nodetool('flush', 'shop')
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

const haven = () => join(own, 'haven')
const places = () => ['-s', haven(), ...node.dataDirectories.flatMap((path) => ['--data-dir', path])]
const jmx = () => ['--nodetool', nodetool, '--host', '127.0.0.1', '--port', String(node.jmxPort)]
const run = (...args: string[]) => runCli(args, { stateDirectory: join(own, 'state'), timeoutMs: 280_000 })

/** What is in `backups/` of the keyspace's tables on the node. */
function left(): string[] {
	return node.dataDirectories.flatMap((directory) =>
		readdirSync(join(directory, 'shop'))
			.map((table) => join(directory, 'shop', table, 'backups'))
			.filter((folder) => existsSync(folder))
			.flatMap((folder) =>
				readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.db$/.test(name)),
			),
	)
}

async function rowsNow(): Promise<string[][]> {
	return await Promise.all(TABLES.map((table) => rowsOf(node, 'shop', table)))
}

test('the rows of an instant between two flushes come back from the snapshot before it and incremental backups', async (t: ExecutionContext) => {
	const args = [...places(), '--backups', '--sync-sstables', '--prune-backups', '--sweep-interval', '0.5', 'shop']
	const service = superviseService(
		t,
		startCli(args, { stateDirectory: join(own, 'state'), timeoutMs: SERVICE_TIMEOUT_MS }),
		haven(),
	)
	await service.until(
		'what was flushed before',
		() => existsSync(join(haven(), '.snaphaven/backups')) && left().length === 0,
	)
	passed(t, await run('snapshot', ...places(), ...jmx(), '-t', 'daily', 'shop'))
	await writeRound(node, 1, 30)
	await node.cql('DELETE FROM shop.orders WHERE id = 3')
	await node.nodetool('flush', 'shop')
	await writeRound(node, 2, 30)
	await node.nodetool('flush', 'shop')
	const at = new Date().toISOString()
	const rows = await rowsNow()
	await node.nodetool('compact', 'shop')
	await writeRound(node, 3, 30)
	await node.cql('DELETE FROM shop.orders WHERE id = 4')
	await node.nodetool('flush', 'shop')
	t.notDeepEqual(await rowsNow(), rows)
	await service.until('all of it in the haven, and gone from the node', () => left().length === 0)
	await service.stop()
	t.true(trueBackups(t, { haven: haven() }).length > 3)
	for (const table of TABLES) await node.cql(`TRUNCATE shop.${table}`)
	const names = TABLES.map((table) => `shop.${table}`)
	passed(t, await run('restore', ...places(), ...jmx(), '--at', at, '--backups', '--import', ...names))
	t.deepEqual(await rowsNow(), rows)
	const { found, expected } = await indexAnswers(node, ['customer', 'total'])
	t.deepEqual(found, expected)
	passed(t, await run('verify', '-s', haven()))
})
