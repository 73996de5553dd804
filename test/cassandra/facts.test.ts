import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { keyspacesOf } from '../../src/cassandra/schema-by-cql.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { passed } from './support/bench.ts'
import type { NodeSettings } from './support/cassandra-yaml.ts'
import { rowsOf } from './support/give-back.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { makeCqlsh, makeNodetool } from './support/programs.ts'

/** What a restore needs besides SSTables, of every kind. */
const STATEMENTS = [
	`CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}`,
	'CREATE TYPE shop.street (name text, number int)',
	'CREATE TYPE shop.address (street frozen<street>, "Town" text)',
	`CREATE TABLE shop.orders (id int PRIMARY KEY, customer text, note text, old text, "To" frozen<address>) WITH comment = 'it''s; so'`,
	'ALTER TABLE shop.orders DROP old',
	'CREATE INDEX orders_customer ON shop.orders (customer)',
	'CREATE TABLE shop."Items" ("Group" text, id int, PRIMARY KEY ("Group", id))',
	`CREATE MATERIALIZED VIEW shop.by_note AS SELECT id, note FROM shop.orders WHERE note IS NOT NULL AND id IS NOT NULL PRIMARY KEY (note, id)`,
	`CREATE FUNCTION shop.plus (a int, b int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return a + b; $$`,
	'CREATE AGGREGATE shop.total (int) SFUNC plus STYPE int INITCOND 0',
	`CREATE ROLE app WITH LOGIN = true AND PASSWORD = 'app'`,
	'CREATE ROLE "Readers"',
	'GRANT "Readers" TO app',
	'GRANT SELECT ON KEYSPACE shop TO "Readers"',
	'GRANT MODIFY ON TABLE shop."Items" TO app',
	'GRANT EXECUTE ON FUNCTION shop.plus(int, int) TO app',
]

const NODES: NodeSettings[] = [
	{ version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2, authentication: true },
	{ version: '4.1.10', format: 'big', ids: 'number', dataDirectories: 1, authentication: true },
]

for (const settings of NODES) {
	test.serial(
		`Cassandra ${settings.version}: a dropped keyspace is made again, with all that belongs to it`,
		async (t) => {
			await giveBackAll(t, await startScene(t, settings))
		},
	)
}

interface Scene {
	own: string
	node: CassandraNode
	/** Runs the command with the haven, the node's data and `cassandra`'s password. */
	run: (...args: string[]) => Promise<CliResult>
	cql: string[]
	places: string[]
	jmx: string[]
}

async function startScene(t: ExecutionContext, settings: NodeSettings): Promise<Scene> {
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-cassandra-'))
	t.teardown(() => rm(own, { recursive: true, force: true }))
	const node = await startNode(join(own, 'cassandra'), settings)
	t.teardown(() => node.kill())
	for (const statement of STATEMENTS) await node.cql(statement)
	for (let id = 0; id < 40; id++) {
		await node.cql(`INSERT INTO shop.orders (id, customer, note) VALUES (${id}, 'c${id % 3}', 'n${id}')`)
		await node.cql(`INSERT INTO shop."Items" ("Group", id) VALUES ('g${id % 3}', ${id})`)
	}
	await writeFile(join(own, 'cqlshrc'), '[authentication]\nusername = cassandra\npassword = cassandra\n')
	const cql = ['--cql', `127.0.0.1:${node.cqlPort}`, '--cql-credentials', join(own, 'cqlshrc')]
	const jmx = ['--nodetool', await makeNodetool(own, node), '--host', '127.0.0.1', '--port', String(node.jmxPort)]
	const places = ['-s', join(own, 'haven'), ...node.dataDirectories.flatMap((path) => ['--data-dir', path])]
	const run = (...args: string[]) => runCli(args, { stateDirectory: join(own, 'state'), timeoutMs: 280_000 })
	return { own, node, run, cql, places, jmx }
}

async function giveBackAll(t: ExecutionContext, scene: Scene): Promise<void> {
	const { own, node, run, cql, places, jmx } = scene
	const taken = passed(t, await run('snapshot', ...places, ...jmx, ...cql, '-t', 'good', 'shop'))
	t.notRegex(taken.stderr, /^warning/m)
	await assertNoHashes(t, scene)
	const rows = await allRows(node)
	const schema = await describe(node)
	await assertKeyspacesOf(t, node)
	const restore = ['restore', ...places.slice(0, 2), '-t', 'good']

	const printed = passed(t, await run(...restore, '--schema')).stdout
	const made = [...printed.matchAll(/^CREATE (?:MATERIALIZED )?(\w+) IF NOT EXISTS/gm)].map(([, kind]) => kind)
	t.deepEqual(made, ['KEYSPACE', 'TYPE', 'TYPE', 'FUNCTION', 'AGGREGATE', 'TABLE', 'TABLE', 'INDEX', 'VIEW'])
	const one = passed(t, await run(...restore, '--schema', 'shop.Items')).stdout
	t.notRegex(one, /orders|FUNCTION/)
	t.regex(one, /CREATE KEYSPACE[\s\S]*CREATE TABLE IF NOT EXISTS shop\."Items"/)

	await assertRoles(t, scene, passed(t, await run(...restore, '--roles')).stdout)
	t.regex(passed(t, await run(...restore, '--tokens')).stdout, /^num_tokens: 1\ninitial_token: '0'$/m)

	await node.cql('DROP KEYSPACE shop')
	const apply = [...restore, '--schema', '--apply']
	const applied = passed(t, await run(...apply, ...cql, '--json'))
	t.deepEqual(JSON.parse(applied.stdout.split('\n').at(-1) ?? ''), {
		...{ type: 'summary', exitCode: 0, dryRun: false, parts: 9, made: 9, failed: 0 },
	})
	t.deepEqual(await describe(node), schema)
	const imported = ['restore', ...places, ...jmx, ...cql, '-t', 'good', '--import', 'shop.orders', 'shop.Items']
	passed(t, await run(...imported))
	t.deepEqual(await allRows(node), rows)
	t.is((await node.cql(`SELECT id FROM shop.orders WHERE customer = 'c1'`)).length, 13)

	// What follows is the same whatever the version is.
	if (node.settings.version !== '5.0.8') return
	await node.cql('ALTER TABLE shop.orders ADD later text')
	await node.cql(`ALTER TABLE shop."Items" WITH comment = 'other'`)
	const cqlsh = ['--cqlsh', await makeCqlsh(own, node.cqlPort)]
	const again = passed(t, await run(...apply, ...cqlsh))
	t.regex(again.stderr, /^differs: table shop\.orders is there, and left as it is: it has later text more$/m)
	t.regex(again.stderr, /^differs: table shop\.Items .*it has other options$/m)
	t.regex(again.stdout, /^schema: made 0 of 9 parts; 7 there already, 2 differ, 0 failed$/m)
	const warned = await run(...imported, '--dry-run')
	t.regex(warned.stderr, /^warning: the table shop\.orders is not as in the snapshot good: it has later text more$/m)

	await node.cql('DROP KEYSPACE shop')
	passed(t, await run(...imported, '--create-schema'))
	t.deepEqual(await allRows(node), rows)
	await assertFewerRights(t, scene)
}

async function allRows(node: CassandraNode): Promise<string[][]> {
	return [await rowsOf(node, 'shop', 'orders'), await rowsOf(node, 'shop', 'Items')]
}

async function describe({ cql }: CassandraNode): Promise<unknown[]> {
	const rows = await cql('DESCRIBE KEYSPACE shop')
	return rows.map((row) => [row['type'], row['name'], row['create_statement']])
}

/** What an older Cassandra's keyspaces are made by is what this one describes. */
async function assertKeyspacesOf(t: ExecutionContext, { cql }: CassandraNode): Promise<void> {
	const plain = (text: unknown) => String(text).replace(/\s+/g, ' ')
	const made = await keyspacesOf({ run: cql })
	t.true(made.length >= 5)
	for (const { name, cql: statement } of made) {
		const [described] = await cql(`DESCRIBE ONLY KEYSPACE ${name}`)
		t.is(plain(statement), plain(described?.['create_statement']))
	}
}

/** The facts of a node with passwords have none of them, nor a hash of one. */
async function assertNoHashes(t: ExecutionContext, { own, node }: Scene): Promise<void> {
	const [row] = await node.cql(`SELECT salted_hash FROM system_auth.roles WHERE role = 'app'`)
	const hash = String(row?.['salted_hash'])
	t.regex(hash, /^\$2a\$/)
	const folder = join(own, 'haven/.snaphaven/facts')
	const files = (await readdir(folder)).filter((name) => name.endsWith('.json'))
	t.is(files.length, 1)
	const text = await readFile(join(folder, files[0] ?? ''), 'utf8')
	t.regex(text, /"roles":\[\{"name":"Readers"/)
	t.notRegex(text, /\$2a\$/)
}

/** The statements give the roles back to a node that has lost them. */
async function assertRoles(t: ExecutionContext, { node }: Scene, printed: string): Promise<void> {
	const grants = async () => [
		...(await node.cql('LIST ROLES OF app')),
		...(await node.cql('LIST ALL PERMISSIONS OF app')),
		...(await node.cql('LIST ALL PERMISSIONS OF "Readers"')),
	]
	const before = await grants()
	await node.cql('DROP ROLE app')
	await node.cql('DROP ROLE "Readers"')
	for (const line of printed.split('\n').filter((text) => text !== '' && !text.startsWith('--'))) await node.cql(line)
	t.deepEqual(await grants(), before)
	await node.cql(`ALTER ROLE app WITH PASSWORD = 'app'`)
}

/** A role that may not see the roles: all else is kept, and it is said what it needs. */
async function assertFewerRights(t: ExecutionContext, { own, node, run, cql, places, jmx }: Scene): Promise<void> {
	await writeFile(join(own, 'cqlshrc'), '[authentication]\nusername = app\npassword = app\n')
	const some = passed(t, await run('snapshot', ...places, ...jmx, ...cql, '-t', 'fewer', 'shop'))
	t.regex(some.stderr, /^warning: not kept of what a restore may need: roles .*It needs SELECT on system_auth\.roles/m)
	const schema = await run('restore', ...places.slice(0, 2), '-t', 'fewer', '--schema')
	t.regex(passed(t, schema).stdout, /the node was asked .*, for the tag fewer\n[\s\S]*CREATE KEYSPACE/)
	await writeFile(join(own, 'cqlshrc'), '[authentication]\nusername = app\npassword = wrong\n')
	const none = passed(t, await run('snapshot', ...places, ...jmx, ...cql, '-t', 'none', 'shop'))
	t.regex(none.stderr, /^warning: the node’s schema, roles and tokens are not kept: .*--cql-credentials/m)
	t.is((await node.cql('SELECT * FROM shop.orders')).length, 40)
}
