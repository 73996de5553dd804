import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runCli, startCli } from '../support/cli.ts'
import { liesOf, type ReceiptText, readReceipts } from '../support/receipts.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { assertProven, snapshotsOn } from './support/proof.ts'
import { createShop, shopKeyspaces, writeRound } from './support/shop.ts'
import { listSnapshots, liveTables, takeSnapshot } from './support/snapshots.ts'

let own: string
let node: CassandraNode
const places = () => ['-s', join(own, 'haven'), ...node.dataDirectories.flatMap((path) => ['--data-dir', path])]
const around = () => ({ stateDirectory: join(own, 'state') })

function snapshot(...args: string[]) {
	const nodetool = ['--nodetool', join(own, 'nodetool'), '--host', '127.0.0.1', '--port', String(node.jmxPort)]
	return runCli(['snapshot', ...places(), ...nodetool, ...args], around())
}

/** The receipts of a tag, each of which has to be true to the byte: one of each table that is there now. */
async function trueReceipts(t: ExecutionContext, tag: string, keyspaces: string[]): Promise<ReceiptText[]> {
	const haven = join(own, 'haven')
	const receipts = readReceipts(haven).flatMap((one) =>
		'receipt' in one && one.receipt.tag === tag ? [one.receipt] : [],
	)
	for (const receipt of receipts) t.deepEqual(liesOf(haven, receipt), [])
	const tables = (await liveTables(node, keyspaces)).map(({ table }) => table)
	t.deepEqual(receipts.map(({ table }) => table).sort(), tables.sort())
	return receipts
}

async function tagsOnNode(): Promise<string[]> {
	return [...new Set((await listSnapshots(node)).map(({ tag }) => tag))].sort()
}

test.before('a node with two keyspaces is up', async () => {
	own = await mkdtemp(join(tmpdir(), 'snaphaven-cassandra-'))
	try {
		const settings = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 } as const
		node = await startNode(join(own, 'cassandra'), settings)
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
	const words = node.nodetoolCommand.map((word) => `'${word}'`).join(' ')
	await writeFile(join(own, 'nodetool'), `#!/bin/sh\nexec ${words} "$@"\n`)
	await chmod(join(own, 'nodetool'), 0o755)
	await createShop(node)
	await writeRound(node, 0)
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

test.serial('a snapshot is taken, and sealed with every file and byte', async (t) => {
	const { exitCode, stdout, stderr } = await snapshot('--ttl', '1d', '-v', '2', ...shopKeyspaces)
	t.is(exitCode, 0, stderr)
	t.regex(stdout, /^snaphaven-\d{8}T\d{6}Z$/)
	t.regex(stderr, /^nodetool: Requested creating snapshot\(s\) for \[/m)
	const taken = snapshotsOn(node.dataDirectories, shopKeyspaces)
	t.deepEqual([...new Set(taken.map(({ tag }) => tag))], [stdout])
	t.true(assertProven(node.dataDirectories, join(own, 'haven'), taken).digests > 0)
	t.deepEqual(await tagsOnNode(), [stdout])
	const receipts = (await trueReceipts(t, stdout, shopKeyspaces)) as (ReceiptText & { expiresAt?: string })[]
	t.true(receipts.every(({ expiresAt }) => expiresAt !== undefined))
})

test.serial('--clear leaves nothing of it on the node, and all of it in the haven', async (t) => {
	const before = await tagsOnNode()
	await writeRound(node, 1)
	const { exitCode, stdout, stderr } = await snapshot('-t', 'cleared', '--clear', '--json', ...shopKeyspaces)
	t.is(exitCode, 0, stderr)
	const receipts = await trueReceipts(t, 'cleared', shopKeyspaces)
	t.like(JSON.parse(stdout), { tag: 'cleared', tables: receipts.length, cleared: true, exitCode: 0 })
	t.true(receipts.every(({ state }) => state === 'whole'))
	t.deepEqual(await tagsOnNode(), before)
	t.false(snapshotsOn(node.dataDirectories, shopKeyspaces).some(({ tag }) => tag === 'cleared'))
})

test.serial(
	'nodetool’s own word is passed on: a tag that is there, a lifetime too short, a keyspace dropped',
	async (t) => {
		const [tag = ''] = await tagsOnNode()
		const again = await snapshot('-t', tag, 'shop')
		t.is(again.exitCode, 1)
		t.is(again.stdout, '')
		t.regex(again.stderr, new RegExp(`^error: \\S+nodetool snapshot -t ${tag} -- shop ended with \\d`, 'm'))
		t.regex(again.stderr, /^ {2}.*already exists/m)
		const short = await snapshot('-t', 'short', '--ttl', '1s', 'shop')
		t.is(short.exitCode, 1)
		t.regex(short.stderr, /^ {2}.*ttl/im)
		await node.cql(`CREATE KEYSPACE gone WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
		await node.cql('CREATE TABLE gone.t (id int PRIMARY KEY)')
		await node.cql('DROP KEYSPACE gone')
		const dropped = await snapshot('-t', 'x', 'gone')
		t.is(dropped.exitCode, 1)
		t.regex(dropped.stderr, /^ {2}.*Keyspace \[?gone\]? does not exist/m)
		t.false((await tagsOnNode()).includes('x'))
	},
)

test.serial('a tag that nodetool took is waited for until a pass has sealed it', async (t) => {
	const waiting = startCli(['wait', ...places(), '-t', 'evening', ...shopKeyspaces], around())
	await takeSnapshot(node, 'evening', shopKeyspaces)
	const pass = await runCli(['--once', ...places(), ...shopKeyspaces], around())
	t.is(pass.exitCode, 0, pass.stderr)
	const { exitCode, stdout, stderr } = await waiting
	t.is(exitCode, 0, stderr)
	t.regex(stdout, new RegExp(`^sealed: evening, ${(await liveTables(node, shopKeyspaces)).length} tables`))
})
