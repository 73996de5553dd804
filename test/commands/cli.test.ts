import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { execa } from 'execa'
import { cliFile, nodeBinary, runCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { clearSnapshot, makeTree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

test('--help tells of every flag, with examples and exit codes, on stdout', async (t) => {
	const { exitCode, stdout, stderr } = await runCli(['--help'])
	t.is(exitCode, 0)
	t.is(stderr, '')
	const flags = [
		'-s, --snapshot-dir HAVEN',
		'-d, --cassandra-dir [DIR]',
		'--take-over',
		'-v, --verbosity {0,1,2}',
		'-q, --quiet',
	]
	for (const flag of flags) t.true(stdout.includes(flag), flag)
	t.regex(stdout, /^Examples:$/m)
	t.regex(stdout, /^Exit codes:\n {2}0 {3}done; a service was stopped by a signal$/m)
	for (const line of stdout.split('\n').filter((one) => !one.startsWith('  snaphaven')))
		t.true(line.length <= 100, line)
	t.is((await runCli(['sync', '-h'])).stdout, stdout)
})

test('--version tells the version of package.json', async (t) => {
	const { version } = (await import('../../package.json', { with: { type: 'json' } })).default
	t.is((await runCli(['--version'])).stdout, `snaphaven ${version}`)
})

test('wrong usage is told in a line or two on stderr, exit 2', async (t) => {
	const { exitCode, stdout, stderr } = await runCli(['--once', '-s', '/nas', '--snapshot-regexp', 'x', 'ks'])
	t.is(exitCode, 2)
	t.is(stdout, '')
	t.is(stderr, 'error: unknown flag --snapshot-regexp\n  Did you mean --snapshot-regex? All flags: snaphaven --help')
})

test('a keyspace may be called like anything that objects have', async (t) => {
	const { exitCode, stderr } = await runCli(['constructor', '--once'])
	t.is(exitCode, 2)
	t.regex(stderr, /^error: where to\?/)
})

test('a pass over a node says what it sealed, and a second one that all is safe', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder)
	takeSnapshot(tree, 'daily')
	const haven = join(folder, 'haven')
	const stateDirectory = join(folder, 'state')
	const line = ['--once', '-s', haven, ...tree.flags, tree.keyspace]
	const first = await runCli(line, { stateDirectory })
	t.is(first.exitCode, 0, first.stderr)
	t.is(first.stdout.match(/^sealed ks\.t000\d daily: 18 files/gm)?.length, 2)
	t.regex(first.stdout, /^done: 2 snapshots sealed \(36 files/m)
	t.is(assertMirrored(tree, haven).snapshots, 2)
	const second = await runCli([...line, '--json'], { stateDirectory })
	t.like(JSON.parse(second.stdout), { type: 'summary', exitCode: 0, sealed: 0, unchanged: 2 })
})

test('a dry run tells the plan, and makes nothing', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder)
	takeSnapshot(tree, 'daily')
	const { exitCode, stdout } = await runCli([
		'--once',
		'--dry-run',
		'-s',
		join(folder, 'haven'),
		...tree.flags,
		tree.keyspace,
	])
	t.is(exitCode, 0)
	t.is(stdout.match(/^planned ks\./gm)?.length, 2)
	t.regex(stdout, /^plan: 2 snapshots to seal \(36 files, .*\); nothing was touched$/m)
	t.deepEqual(readdirSync(folder), ['data'])
})

test('a dry run does not wait for a snapshot to settle: it says what for, and for how long it would', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder, { tables: 3 })
	takeSnapshot(tree, 'unproven', { manifest: 'none', folders: tree.folders.slice(0, 1) })
	takeSnapshot(tree, 'cut', { folders: tree.folders.slice(1, 2) })
	takeSnapshot(tree, 'whole', { folders: tree.folders.slice(2) })
	for (const { path } of tagFolders(tree, 'cut').slice(1, 2)) await writeFile(join(path, 'manifest.json'), '{"files":[')
	const line = [
		'--once',
		'--dry-run',
		'--settle-time',
		'3600',
		'-s',
		join(folder, 'haven'),
		...tree.flags,
		tree.keyspace,
	]
	const { exitCode, stdout, stderr } = await runCli(line)
	t.is(exitCode, 0)
	t.regex(stderr, /\/unproven: it has no manifest\.json, and it was not quiet for 3600 s yet$/m)
	t.regex(stderr, /\/cut: .*manifest\.json.*; it is given up once nothing has changed for 3600 s$/m)
	t.regex(stdout, /^plan: 1 snapshot to seal \(18 files, .*\), 2 snapshots not settled yet; nothing was touched$/m)
})

test('damage is told as long as it is on the node: named, in the summary, exit 3', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder)
	const [table = ''] = tree.folders
	const stateDirectory = join(folder, 'state')
	await writeFile(join(folder, 'data', tree.keyspace, table, 'nb-1-big-Data.db'), 'rotten')
	takeSnapshot(tree, 'daily')
	const line = ['--once', '-s', join(folder, 'haven'), ...tree.flags, tree.keyspace]
	t.is((await runCli(line, { stateDirectory })).exitCode, 3)
	for (const flags of [[], ['--dry-run'], ['--move-snapshots']]) {
		const { exitCode, stderr } = await runCli([...flags, ...line], { stateDirectory })
		t.is(exitCode, 3, flags.join())
		t.regex(stderr, new RegExp(`^damaged: ${tree.keyspace}/${table}/snapshots/daily: sealed as damaged before`, 'm'))
		t.regex(stderr, /^damage: 1 snapshot damaged at the source/m)
	}
	clearSnapshot(tree, 'daily')
	t.is((await runCli(line, { stateDirectory })).exitCode, 0)
})

test('a keyspace whose name is that of a command is reached by naming the command', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder, { keyspace: 'sync', tables: 1 })
	takeSnapshot(tree, 'daily')
	const flags = ['--once', '-s', join(folder, 'haven'), ...tree.flags]
	t.regex((await runCli(['sync', ...flags, 'sync'])).stdout, /^sealed sync\.t0000 daily/m)
	const first = await runCli([...flags, '--dry-run', 'sync'])
	t.is(first.exitCode, 0, 'only as the first word it is the command')
})

test('a name from the disk reaches the terminal escaped', async (t) => {
	const folder = await temporaryFolder(t)
	const tree = makeTree(folder, { tables: 1 })
	takeSnapshot(tree, 'a\u001b[31m\nb')
	const { stdout } = await runCli(['--once', '-s', join(folder, 'haven'), ...tree.flags, tree.keyspace])
	t.regex(stdout, /^sealed ks\.t0000 "a\\x1b\[31m\\nb": /m)
	t.false(stdout.includes('\u001b'))
})

test('results that cannot be written are told of, and the pass goes on', async (t) => {
	const place = await temporaryFolder(t)
	const tree = makeTree(join(place, 'node'))
	takeSnapshot(tree, 'daily')
	const haven = join(place, 'haven')
	const words = ['sync', '--once', '--json', '-s', haven, ...tree.flags, '--state-dir', join(place, 'state'), 'ks']
	const command = `exec "$@" > /dev/full`
	const { exitCode, stderr } = await execa('sh', ['-c', command, 'sh', nodeBinary, cliFile, ...words], {
		reject: false,
	})
	t.is(exitCode, 1)
	t.regex(stderr, /results cannot be written to stdout any more: .*ENOSPC/)
	assertMirrored(tree, haven)
})

test('a reader of --help that goes away is no error', (t) => {
	const line = `for i in 1 2 3 4 5 6 7 8 9 10; do ${nodeBinary} ${cliFile} --help; done | true; echo "\${PIPESTATUS[0]}"`
	const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' })
	t.is(stderr, '')
	t.is(stdout, '0\n')
})

test('the pool has 64 threads, for as many calls to a slow haven at once', async (t) => {
	const folder = await temporaryFolder(t)
	const program = `
		import { stat } from 'node:fs/promises'
		import { readdirSync } from 'node:fs'
		process.argv = [process.argv[0], ${JSON.stringify(cliFile)}, '--version']
		await import(${JSON.stringify(cliFile)})
		await Promise.all(Array.from({ length: 1000 }, () => stat('/')))
		console.log(readdirSync('/proc/self/task').length)`
	const file = join(folder, 'count.mjs')
	await writeFile(file, program)
	const { stdout } = await execa(nodeBinary, [file])
	t.true(Number(stdout.split('\n').at(-1)) > 64, stdout)
})
