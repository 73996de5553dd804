import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { hasNoImport } from '../../src/restore/put-and-refresh.ts'
import { leftNothing } from '../restore/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { passed } from './support/bench.ts'
import { indexAnswers, rowsOf } from './support/give-back.ts'
import { java8Missing } from './support/install.ts'
import { locate } from './support/live.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { makeNodetool } from './support/programs.ts'
import { assertProven, filesIn } from './support/proof.ts'
import { createShop, remakeEvents, shopKeyspaces, writeRound } from './support/shop.ts'
import { liveTables, takeSnapshot } from './support/snapshots.ts'

const settings = { version: '3.11.19', format: 'big', ids: 'number', dataDirectories: 2 } as const

testWhere(
	await java8Missing(),
	'a snapshot of Cassandra 3.11 is mirrored, and given back by live folder and nodetool refresh',
	async (t) => {
		t.timeout(600_000)
		const own = await mkdtemp(join(tmpdir(), 'snaphaven-cassandra-'))
		t.teardown(() => rm(own, { recursive: true, force: true }))
		const node = await startNode(join(own, 'cassandra'), settings)
		t.teardown(() => node.kill())
		t.true(hasNoImport(await node.nodetool('version')))
		await createShop(node)
		for (const round of [0, 1]) {
			await writeRound(node, round, 30)
			await node.nodetool('flush')
		}
		const places = ['-s', join(own, 'haven'), ...node.dataDirectories.flatMap((path) => ['--data-dir', path])]
		const nodetool = await makeNodetool(own, node)
		const address = ['--host', '127.0.0.1', '--port', String(node.jmxPort)]
		const run = (...args: string[]) => runCli(args, { stateDirectory: join(own, 'state') })
		const taken = await takeSnapshot(node, 'good', shopKeyspaces)
		passed(t, await run('--once', ...places, ...shopKeyspaces))
		t.true(assertProven(node.dataDirectories, join(own, 'haven'), taken).digests > taken.length)
		const rows = await allRows(node)

		await node.cql('TRUNCATE shop.orders')
		await remakeEvents(node)
		const restore = ['restore', '--import', ...places, ...address, '-t', 'good', '--nodetool']
		const failing = await makeFailing(own, nodetool)
		const unloaded = await run(...restore, failing, 'shop.orders')
		t.is(unloaded.exitCode, 1)
		t.regex(unloaded.stderr, /^refused: shop\.orders: the node loaded 0 of \d+ SSTables.*out of luck/m)
		t.deepEqual(await rowsOf(node, 'shop', 'orders'), [])
		const restored = passed(t, await run(...restore, nodetool, ...shopKeyspaces))
		t.regex(restored.stdout, /^there already shop\.orders good/m)
		t.regex(restored.stdout, /^restored shop\.events good/m)
		await assertAsBefore(t, node, rows)
		leftNothing(t, node)

		const before = sstablesOf(node, 'orders')
		const again = passed(t, await run(...restore, nodetool, 'shop.orders'))
		t.regex(again.stdout, /^there already shop\.orders good/m)
		t.deepEqual(sstablesOf(node, 'orders'), before)
		// What the node took has numbers that it gave, so that its next ones are free.
		await writeRound(node, 20, 5)
		await node.nodetool('flush', 'shop')
		for (const name of sstablesOf(node, 'orders')) t.true(Number(name.split('-')[1]) < 1000, name)
		t.is((await rowsOf(node, 'shop', 'orders')).length, 65)
	},
)

/** Makes a nodetool whose refresh does nothing, and says that it failed. */
async function makeFailing(folder: string, nodetool: string): Promise<string> {
	const path = join(folder, 'failing-nodetool')
	const script = `case "$*" in *refresh*) echo out of luck >&2; exit 1;; esac\nexec '${nodetool}' "$@"`
	await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
	return path
}

async function allRows(node: CassandraNode): Promise<Map<string, string[]>> {
	const rows = new Map<string, string[]>()
	for (const { keyspace, name } of await liveTables(node, shopKeyspaces)) {
		rows.set(`${keyspace}.${name}`, await rowsOf(node, keyspace, name))
	}
	return rows
}

async function assertAsBefore(t: ExecutionContext, node: CassandraNode, rows: Map<string, string[]>): Promise<void> {
	t.deepEqual(await allRows(node), rows)
	const { orders, found, expected } = await indexAnswers(node, ['customer'])
	t.is(orders, 60)
	t.deepEqual(found, expected)
}

/** The names of the Data.db files of a table of shop. */
function sstablesOf(node: CassandraNode, name: string): string[] {
	return locate(node, 'shop', name)
		.flatMap(({ table }) => node.dataDirectories.map((directory) => join(directory, 'shop', table)))
		.flatMap((folder) => [...filesIn(folder).keys()])
		.filter((path) => /^[^/]*-Data\.db$/.test(path))
		.sort()
}
