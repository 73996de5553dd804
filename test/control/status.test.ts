import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { cliFile, nodeBinary, runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { startService } from './support/start-service.ts'

const snapshot = { keyspace: 'shop', table: `orders-${'0123456789abcdef'.repeat(2)}`, tag: 'daily' }

function newPlace(t: ExecutionContext) {
	return { stateDirectory: ownFolder(t), haven: '/nowhere/nas/node1' }
}

function ask({ stateDirectory, haven }: ReturnType<typeof newPlace>, ...more: string[]) {
	return runCli(['status', '-s', haven, ...more], { stateDirectory })
}

function anHourAgo(): string {
	return new Date(Date.now() - 3_600_000).toISOString()
}

test('status tells how the running service is, exit 0, though the haven is not there', async (t) => {
	const place = newPlace(t)
	const sealed = { sealed: 1204, bytes: 34e9, lastSealAt: anHourAgo(), lastSweepAt: anHourAgo(), moved: 3, removed: 1 }
	const { process } = await startService(t, place, { startedAt: anHourAgo(), ...sealed })
	const { exitCode, stdout, stderr } = await ask(place)
	t.is(exitCode, 0)
	t.is(stderr, '')
	const lines = stdout.split('\n')
	t.regex(lines[0] ?? '', new RegExp(`^running: {2}for 1h.*, since 20.*Z; process ${process.pid}, snaphaven \\d`))
	t.regex(
		lines[1] ?? '',
		/^sealed: {3}1,204 snapshots \(34 GB\), the last 1h.* ago, 3 snapshots gone from the node, 1 sn/,
	)
	t.regex(lines[2] ?? '', /^tables: {3}3 tables; last sweep 1h.* ago$/)
	t.is(lines[3], 'unsealed: nothing')
	t.is(lines.length, 4)
})

test('what fails and what waits is named with its reason, and a failure is exit 1', async (t) => {
	const place = newPlace(t)
	const waiting = Array.from({ length: 12 }, () => ({ snapshot, since: anHourAgo(), reason: 'no manifest' }))
	const failing = [{ what: 'shop/a', since: anHourAgo(), reason: 'torn' }]
	await startService(t, place, { waiting, failing })
	const { exitCode, stdout } = await ask(place)
	t.is(exitCode, 1)
	t.regex(stdout, /^waiting: {2}shop\/orders-\w+\/snapshots\/daily: no manifest \(for 1h.*\)$/m)
	t.regex(stdout, /^waiting: {2}and 2 more/m)
	t.regex(stdout, /^failing: {2}shop\/a: torn \(for 1h.*\)$/m)
	t.regex(stdout, /^problem: {2}1 thing can't be done$/m)
})

test('a haven in trouble is exit 1, and named', async (t) => {
	const place = newPlace(t)
	await startService(t, place, { state: 'haven in trouble', trouble: { since: anHourAgo(), message: 'ENOSPC' } })
	const { exitCode, stdout } = await ask(place)
	t.is(exitCode, 1)
	t.regex(stdout, /^haven: {4}in trouble for 1h.*: ENOSPC$/m)
	const { stdout: json } = await ask(place, '--json')
	t.like(JSON.parse(json), {
		ok: false,
		running: true,
		state: 'haven in trouble',
		problems: ['the haven is in trouble'],
	})
})

test('a service that has not opened its haven for long is exit 1', async (t) => {
	const place = newPlace(t)
	await startService(t, place, { state: 'starting', startedAt: anHourAgo() })
	const { exitCode, stdout } = await ask(place)
	t.is(exitCode, 1)
	t.regex(stdout, /^starting: for 1h/)
	t.regex(stdout, /^problem: {2}the haven is not open yet, after 1h/m)
	const other = newPlace(t)
	await startService(t, other, { state: 'starting', startedAt: new Date().toISOString() })
	t.is((await ask(other)).exitCode, 0)
})

test('a snapshot that is unsealed for longer than --max-age is exit 1, and one that is not is 0', async (t) => {
	const place = newPlace(t)
	await startService(t, place, { unsealed: 2, oldestUnsealed: { snapshot, since: anHourAgo() } })
	const old = await ask(place, '--max-age', '30m')
	t.is(old.exitCode, 1)
	t.regex(old.stdout, /^unsealed: 2 snapshots, the oldest shop\.orders daily, for 1h/m)
	t.regex(old.stdout, /^problem: {2}shop\.orders daily is unsealed for 1h.*, more than 30m$/m)
	t.is((await ask(place, '--max-age', '2h')).exitCode, 0)
	t.is((await ask(place)).exitCode, 0)
})

test('--json is one object with the verdict and all that the service says', async (t) => {
	const place = newPlace(t)
	const { process } = await startService(t, place, { sealed: 5, bytes: 10 })
	const { exitCode, stdout } = await ask(place, '--json', '--max-age=1h')
	t.is(exitCode, 0)
	const verdict = { ok: true, problems: [], running: true, pid: process.pid }
	t.like(JSON.parse(stdout), { type: 'status', haven: place.haven, ...verdict, sealed: 5, bytes: 10, failing: [] })
})

test('where no service runs, status tells when one last ran, how it ended and how it was, exit 1', async (t) => {
	const place = newPlace(t)
	const never = await ask(place)
	t.is(never.exitCode, 1)
	t.is(never.stdout, `not running: no service runs for ${place.haven}, and none is known to have run`)
	const { process } = await startService(t, place, { sealed: 9, bytes: 1000 })
	process.kill('SIGKILL')
	await process
	const killed = await ask(place)
	t.is(killed.exitCode, 1)
	const pid = process.pid
	t.regex(
		killed.stdout,
		new RegExp(`^not running: no .*, process ${pid}, was last heard of, and did not end by itself, `),
	)
	t.regex(killed.stdout, /^sealed: {3}9 snapshots \(1 kB\)$/m)
	const { process: second } = await startService(t, place)
	second.kill('SIGTERM')
	await second
	const ended = await ask(place)
	t.is(ended.exitCode, 1)
	t.regex(ended.stdout, new RegExp(`^not running: no .*; the last one, process ${second.pid}, ended \\d.*s ago`))
	t.like(JSON.parse((await ask(place, '--json')).stdout), { ok: false, running: false, state: 'ending' })
})

test('a service that hangs is told as that, with how it last was, exit 1', async (t) => {
	const place = newPlace(t)
	const { process } = await startService(t, place, { sealed: 9 })
	process.kill('SIGSTOP')
	const { exitCode, stdout } = await ask(place)
	t.is(exitCode, 1)
	t.regex(
		stdout,
		/^no answer: the service that listens at \S+ did not answer: no answer in time\. .* How it was \d.*s ago:$/m,
	)
	t.regex(stdout, /^sealed: {3}9 snapshots/m)
})

test('status finds the service that has its memory in the home', async (t) => {
	const home = ownFolder(t)
	const { haven } = newPlace(t)
	await startService(t, { stateDirectory: join(home, 'snaphaven'), haven })
	const result = await execa(nodeBinary, [cliFile, 'status', '-s', haven], { env: { XDG_STATE_HOME: home } })
	t.regex(result.stdout, /^running:/)
})

const wrong = [
	{ what: 'no haven', args: [], message: /-s HAVEN is missing/ },
	{
		what: 'a name',
		args: ['-s', '/nas', 'shop'],
		message: /status takes no names, but was given shop\n.*status -s HAVEN/,
	},
	{
		what: 'an age without a unit',
		args: ['-s', '/nas', '--max-age', '10'],
		message: /--max-age expects a time such as/,
	},
	{ what: 'an unknown flag', args: ['-s', '/nas', '--max-agee', '10'], message: /Did you mean --max-age\?/ },
	{ what: '{cluster} without cassandra.yaml', args: ['-s', '/nas/{cluster}'], message: /--cassandra-yaml FILE/ },
]
for (const { what, args, message } of wrong) {
	test(`${what} is wrong usage of status: exit 2, with what to do`, async (t) => {
		const { exitCode, stdout, stderr } = await runCli(['status', ...args])
		t.is(exitCode, 2)
		t.is(stdout, '')
		t.regex(stderr, message)
	})
}

test('status --help tells of its flags and exit codes', async (t) => {
	const { exitCode, stdout } = await runCli(['status', '--help'])
	t.is(exitCode, 0)
	for (const flag of ['-s, --snapshot-dir HAVEN', '--max-age TIME', '--state-dir DIR'])
		t.true(stdout.includes(flag), flag)
	t.regex(stdout, /^Exit codes:\n {2}0 {3}it runs/m)
})
