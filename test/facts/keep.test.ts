import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readCredentials } from '../../src/cassandra/cql-place.ts'
import { runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'

/** What nodetool 5.0 printed of a node with two tokens, shortened. */
const ANSWERS = {
	info: 'ID                     : a447d8d6-dae2-40c8-a1d3-c4c53fdc56aa\nLoad                   : 173.49 KiB\nData Center            : dc1\nRack                   : r1\nToken                  : 42\nToken                  : -7',
	version: 'ReleaseVersion: 5.0.8',
	describecluster:
		'Cluster Information:\n\tName: east side\n\tPartitioner: org.apache.cassandra.dht.Murmur3Partitioner',
}

function scene(t: ExecutionContext) {
	const own = ownFolder(t)
	const tree = makeTree(own)
	takeSnapshot(tree, 'monday')
	const haven = join(own, 'haven')
	const facts = join(haven, '.snaphaven/facts')
	const around = { stateDirectory: join(own, 'state') }
	const command = ['--once', '-q', '-s', haven, ...tree.flags]
	const pass = (...args: string[]) => runCli([...command, ...args, 'ks'], around)
	/** With so little time to be let in by the node that nothing is waited for. */
	const hurried = (...args: string[]) =>
		runCli([...command, ...args, 'ks'], { ...around, env: { SNAPHAVEN_TEST_PATIENCE: '1000' } })
	const nodetool = join(own, 'nodetool')
	const answer = (answers: Record<string, string>) => {
		const cases = Object.entries(answers).map(([command, text]) => `*" ${command} "*) printf '%s\\n' '${text}';;`)
		writeFileSync(nodetool, `#!/bin/sh\ncase " $* " in ${cases.join(' ')} *) echo 'no such node' >&2; exit 1;; esac\n`)
		chmodSync(nodetool, 0o755)
	}
	return { own, tree, haven, facts, around, pass, hurried, nodetool, answer }
}

test('without anybody to ask, it says once a haven what is not kept', async (t) => {
	const { tree, pass, facts } = scene(t)
	const first = await pass()
	t.is(first.exitCode, 0, first.stderr)
	t.regex(first.stderr, /^warning: tables’ schemas are kept with their snapshots; CREATE KEYSPACE, .*--cql/)
	takeSnapshot(tree, 'tuesday')
	t.is((await pass()).stderr, '')
	t.deepEqual(readdirSync(join(facts, 'tags')), [])
})

test('a node that does not answer hinders no seal, and is asked again with the next tag', async (t) => {
	const { tree, pass, facts, nodetool, answer } = scene(t)
	answer({})
	const first = await pass('--nodetool', nodetool)
	t.is(first.exitCode, 0, first.stderr)
	t.is(first.stderr.match(/^warning: the node’s schema, roles and tokens are not kept: .*no such node/gm)?.length, 1)
	t.is(readdirSync(join(tree.root, 'haven/.snaphaven/receipts/ks')).length, tree.folders.length)
	answer(ANSWERS)
	takeSnapshot(tree, 'tuesday')
	t.is((await pass('--nodetool', nodetool)).exitCode, 0)
	t.deepEqual(readdirSync(join(facts, 'tags')), ['tuesday.json'])
	const [file = ''] = readdirSync(facts).filter((name) => name.endsWith('.json'))
	t.like(JSON.parse(readFileSync(join(facts, file), 'utf8')), {
		source: 'nodetool',
		node: { clusterName: 'east side', datacenter: 'dc1', rack: 'r1', releaseVersion: '5.0.8', tokens: ['-7', '42'] },
	})
})

test('a node that never answers CQL keeps no pass from its end', async (t) => {
	const { hurried, haven } = scene(t)
	const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
	t.teardown(() => silent.close())
	await new Promise((resolve) => silent.once('listening', resolve))
	const address = silent.address()
	const { exitCode, stderr } = await hurried('--cql', `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
	t.is(exitCode, 0, stderr)
	t.regex(stderr, /^warning: the node’s schema, roles and tokens are not kept: /)
	t.true(existsSync(join(haven, '.snaphaven/receipts/ks')))
})

test('prune takes the facts along that no tag needs any more; restore shows those that are left', async (t) => {
	const { tree, pass, facts, haven, around, nodetool, answer } = scene(t)
	answer(ANSWERS)
	await pass('--nodetool', nodetool)
	answer({ ...ANSWERS, version: 'ReleaseVersion: 5.0.9' })
	takeSnapshot(tree, 'tuesday')
	await pass('--nodetool', nodetool)
	t.is(readdirSync(facts).length, 3)
	const tokens = await runCli(['restore', '--tokens', '-s', haven, '-t', 'monday'], around)
	t.is(tokens.exitCode, 0, tokens.stderr)
	t.regex(tokens.stdout, /^# .*datacenter dc1, rack r1, Cassandra 5\.0\.8, asked /)
	t.true(
		tokens.stdout.endsWith(
			"cluster_name: 'east side'\npartitioner: org.apache.cassandra.dht.Murmur3Partitioner\nnum_tokens: 2\ninitial_token: '-7,42'",
		),
	)
	const pruned = await runCli(['prune', '-s', haven, '--keep-last', '1'], around)
	t.is(pruned.exitCode, 0, pruned.stderr)
	t.deepEqual(readdirSync(join(facts, 'tags')), ['tuesday.json'])
	t.is(readdirSync(facts).length, 2)
	const roles = await runCli(['restore', '--roles', '-s', haven, '-t', 'tuesday'], around)
	t.is(roles.exitCode, 1)
	t.regex(roles.stderr, /does not have the node’s roles\n.*--cql/)
})

test('credentials are read as cqlshrc is, and as cqlsh’s credentials file; what says nothing is refused', async (t) => {
	const { own, pass } = scene(t)
	const file = join(own, 'credentials')
	const read = (text: string) => {
		writeFileSync(file, text)
		return readCredentials(file)
	}
	t.deepEqual(read('; note\n[authentication]\nUsername : app\npassword = p=a#s:s \n'), {
		username: 'app',
		password: 'p=a#s:s',
	})
	t.deepEqual(read('[PlainTextAuthProvider]\nusername=app\npassword=x'), { username: 'app', password: 'x' })
	t.deepEqual(read('[connection]\nssl = true\n[ssl]\ncertfile = ca.pem\nvalidate = false\n'), {
		tls: { certfile: join(own, 'ca.pem'), validate: false },
	})
	t.throws(() => read('[authentication]\nusername = app\n'), { message: /without a password/ })
	t.throws(() => read('username = app\npassword = x\n'), { message: /neither who asks/ })
	const wrong = [
		[['--cql', 'a b'], /--cql expects HOST:PORT/],
		[['--cql-credentials', file], /--cql, which is not given/],
		[['--cql', 'h', '--cql-credentials', join(own, 'none')], /there is no such file/],
		[['--host', 'h'], /--nodetool is not given/],
	] as const
	for (const [args, message] of wrong) {
		const { exitCode, stderr } = await pass(...args)
		t.is(exitCode, 2)
		t.regex(stderr, message)
	}
})
