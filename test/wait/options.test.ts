import test from 'ava'
import type { Flags } from '../../src/commands/flags.ts'
import { parseArguments } from '../../src/commands/parse-arguments.ts'
import { SNAPSHOT_FLAGS } from '../../src/commands/snapshot-flags.ts'
import { snapshotOptions } from '../../src/commands/snapshot-options.ts'
import { WAIT_FLAGS } from '../../src/commands/wait-flags.ts'
import { waitOptions } from '../../src/commands/wait-options.ts'
import { SnaphavenError } from '../../src/errors.ts'

const AROUND = { directory: '/home/op', environment: {} }
const NOW = new Date('2026-11-21T10:15:00.123Z')

async function waitFor(line: string) {
	const { values, positionals } = parseArguments(line.split(' '), WAIT_FLAGS)
	return await waitOptions(values, positionals, AROUND)
}

async function snapshot(line: string) {
	const { values, positionals } = parseArguments(line.split(' '), SNAPSHOT_FLAGS)
	return await snapshotOptions(values, positionals, AROUND, NOW)
}

test('wait: without a keyspace all but the system ones are waited for, an hour long', async (t) => {
	const options = await waitFor('-s /nas -t daily')
	t.like(options, { tag: 'daily', keyspaces: 'all', timeoutMs: 3_600_000, haven: '/nas' })
	t.deepEqual(options.dataDirectories, ['/var/lib/cassandra/data'])
	t.like(await waitFor('-s h --tag a:b --timeout 90s --data-dir d --state-dir s ks ks'), {
		tag: 'a:b',
		keyspaces: ['ks'],
		timeoutMs: 90_000,
		haven: '/home/op/h',
		dataDirectories: ['/home/op/d'],
		stateDirectory: '/home/op/s',
	})
})

test('snapshot: a tag is made of the time where none is given, safe for nodetool and any file system', async (t) => {
	const options = await snapshot('-s /nas shop')
	t.is(options.tag, 'snaphaven-20261121T101500Z')
	t.deepEqual(options.nodetool, { program: 'nodetool' })
	t.like(options, { keyspaces: ['shop'], clear: false, ttl: undefined, timeoutMs: 3_600_000, move: false })
})

test('snapshot: the flags of nodetool come through', async (t) => {
	const options = await snapshot(
		'-s /nas -t x --ttl 1d --clear --nodetool bin/nodetool --host ::1 --port 7199 -u me --password-file p shop audit',
	)
	t.deepEqual(options.nodetool, {
		program: 'bin/nodetool',
		host: '::1',
		port: '7199',
		user: 'me',
		passwordFile: '/home/op/p',
	})
	t.like(options, { tag: 'x', ttl: '1d', clear: true })
	t.deepEqual(options.keyspaces, ['shop', 'audit'])
})

type Understand = (line: string) => Promise<unknown>

const refused = test.macro({
	async exec(t, understand: Understand, line: string, message: RegExp) {
		const error = await t.throwsAsync(async () => await understand(line), { instanceOf: SnaphavenError })
		t.regex(error?.message ?? '', message)
		t.is(error?.exitCode, 2)
	},
	title: (_, ...[understand, line]: [Understand, string, RegExp]) => `refused: ${understand.name} ${line}`,
})

test(refused, waitFor, '-s /nas ks', /what for\? -t TAG is missing/)
test(refused, waitFor, '-t daily ks', /where to\? -s HAVEN is missing/)
test(refused, waitFor, '-s /nas -t ../daily ks', /"\.\.\/daily" is no tag/)
test(refused, waitFor, '-s /nas -t .. ks', /"\.\." is no tag/)
test(refused, waitFor, '-s /nas -t daily --timeout 30 ks', /--timeout expects a time such as 90s/)
test(refused, waitFor, '-s /nas -t daily --all-keyspaces ks', /--all-keyspaces and the name of a keyspace/)
test(refused, waitFor, '-s /nas -t daily --once ks', /unknown flag --once/)
test(refused, waitFor, '-s /nas -t daily ks.orders', /"ks\.orders" is no keyspace's name/)
test(refused, snapshot, '-s /nas', /which keyspaces\? None is named/)
test(refused, snapshot, 'shop', /where to\? -s HAVEN is missing/)
test(refused, snapshot, '-s /nas --password secret shop', /unknown flag --password/)
test(refused, snapshot, '-s /nas -pw secret shop', /unknown flag -p/)
test(refused, snapshot, '-s /nas --port x shop', /--port expects a number/)
for (const tag of ['a/b', '..', '-x', 'a*', '$(id)', '\u00e4', '']) {
	test(refused, snapshot, `-s /nas --tag=${tag} shop`, /the tag ".*" can’t be given to nodetool|needs a value/)
}
for (const flag of ['--ttl', '--host', '--user', '--password-file']) {
	test(refused, snapshot, `-s /nas ${flag}=*\t shop`, /can’t be given to nodetool/)
}

test('no two flags of a command share a letter', (t) => {
	for (const flags of [WAIT_FLAGS, SNAPSHOT_FLAGS] as Flags[]) {
		const letters = Object.values(flags).flatMap(({ short }) => short ?? [])
		t.deepEqual([...new Set(letters)], letters)
	}
})
