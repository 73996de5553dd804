import { once } from 'node:events'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../support/cli.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const child = join(import.meta.dirname, 'support/pass-child.ts')

function start(run: string, report: object = {}, env: Record<string, string> = {}) {
	return execa(nodeBinary, [child, run, JSON.stringify(report)], {
		env,
		reject: false,
		timeout: 300_000,
		killSignal: 'SIGKILL',
		forceKillAfterDelay: false,
	})
}

/** Starts it, and sends the signals once it is at work. */
async function signalled(t: ExecutionContext, run: string, ...signals: NodeJS.Signals[]) {
	const running = start(run, {}, { TMPDIR: await temporaryFolder(t) })
	await once(running.stdout, 'data')
	for (const signal of signals) {
		const told = once(running.stderr, 'data')
		running.kill(signal)
		await Promise.race([told, running])
	}
	return await running
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	test(`${signal} ends the pass, which says that nothing is lost, exit 1`, async (t) => {
		const { exitCode, stdout, stderr } = await signalled(t, 'obeys', signal)
		t.is(exitCode, 1)
		t.regex(stdout, /^stopped: 1 snapshot sealed/m)
		t.regex(stderr, new RegExp(`^signal: ${signal}: ending`, 'm'))
		t.regex(stderr, /^interrupted: nothing is lost, run it again to go on$/m)
	})
}

test('a pass that is aborted by an error is told as interrupted, and damage goes before', async (t) => {
	const { exitCode, stderr } = await signalled(t, 'throws', 'SIGTERM')
	t.is(exitCode, 3)
	t.regex(stderr, /^interrupted: nothing is lost/m)
	t.notRegex(stderr, /error:/)
})

test('a second signal ends a process at once whose call to the haven hangs', async (t) => {
	const { signal, stderr } = await signalled(t, 'hangs', 'SIGTERM', 'SIGINT')
	t.is(signal, 'SIGINT')
	t.regex(stderr, /a second one ends at once/)
})

test('a process whose call hangs says so after its patience, and kills itself', async (t) => {
	const { signal, stderr, timedOut } = await signalled(t, 'impatient', 'SIGTERM')
	t.false(timedOut)
	t.is(signal, 'SIGKILL')
	t.regex(stderr, /not ended after 0\.3 seconds: a call hangs, .* Killing this process; nothing is lost/)
})

test('when the reader of stdout goes away the pass ends quietly', async (t) => {
	const running = execa(nodeBinary, [child, 'floods'], { reject: false, buffer: false, timeout: 300_000 })
	const problems: string[] = []
	running.stderr.on('data', (data: Buffer) => problems.push(data.toString()))
	await once(running.stdout, 'data')
	running.stdout.destroy()
	const { exitCode } = await running
	t.is(exitCode, 1)
	t.deepEqual(problems, [])
})

test('when stdout cannot be written the pass goes on, says so once, and ends with exit 1', async (t) => {
	const { exitCode, stderr } = await execa('sh', ['-c', `exec ${nodeBinary} ${child} tells > /dev/full`], {
		reject: false,
	})
	t.is(exitCode, 1)
	t.is(stderr.match(/results cannot be written to stdout any more: .*ENOSPC/g)?.length, 1)
})

test('an error that ends the pass is told on stderr, with what to do', async (t) => {
	const { exitCode, stdout, stderr } = await start('fails')
	t.is(exitCode, 1)
	t.is(stdout, '')
	t.is(stderr, 'error: it failed\n  mend it')
})

test('an error that nobody foresaw is told as a defect', async (t) => {
	const { exitCode, stderr } = await start('breaks')
	t.is(exitCode, 1)
	t.regex(stderr, /please report this:\n {2}TypeError: nobody thought of this\n {2}at /)
})

const outputs = test.macro({
	async exec(t, report: object, stdout: RegExp, stderr: RegExp) {
		const result = await start('tells', report)
		t.is(result.exitCode, 0)
		t.regex(result.stdout, stdout)
		t.regex(result.stderr, stderr)
	},
	title: (_, report) => `what ${JSON.stringify(report)} tells, and where`,
})

test(outputs, {}, /^sealed shop.*\ndone: 1 .*$/, /^waiting .*\nwarning: odd$/)
test(outputs, { quiet: true }, /^$/, /^warning: odd$/)
test(outputs, { verbosity: 0 }, /^done: 1 .*$/, /^warning: odd$/)
test(outputs, { verbosity: 2 }, /^sealed shop.*\ndone: 1 .*$/, /^waiting .*\nskipped .*: ephemeral\nwarning: odd$/)
test(
	outputs,
	{ json: true },
	/^\{"type":"sealed".*\}\n\{"type":"skipped".*\}\n\{"type":"warning".*\}\n\{"type":"summary".*\}$/,
	/^waiting .*\nwarning: odd$/,
)
test(outputs, { json: true, quiet: true }, /^\{"type":"sealed".*\}\n.*\n.*\n\{"type":"summary".*\}$/, /^warning: odd$/)

test('each line of --json has the names, the sums and the ways', async (t) => {
	const { stdout } = await start('tells', { json: true })
	t.deepEqual(JSON.parse(stdout.split('\n')[0] ?? ''), {
		type: 'sealed',
		keyspace: 'shop',
		table: 'orders-5a1c395e9d3b11eeb9d10242ac120002',
		tag: 'daily-1',
		files: 12,
		bytes: 4_100_000,
		state: 'whole',
		damage: [],
		replaced: false,
		copied: { files: 12, bytes: 4_100_000 },
		hardlinked: { files: 0, bytes: 0 },
		reflinked: { files: 0, bytes: 0 },
		reused: { files: 0, bytes: 0 },
	})
})

test('--json ends with an error where the pass did', async (t) => {
	const { stdout, stderr } = await start('fails', { json: true })
	t.deepEqual(JSON.parse(stdout), { type: 'error', exitCode: 1, message: 'it failed', hint: 'mend it' })
	t.is(stderr, 'error: it failed\n  mend it')
})

test('a dry run sums up what it planned', async (t) => {
	const { stdout } = await start('plans', { dryRun: true })
	t.regex(
		stdout,
		/^planned .* a: 12 files.*\nplanned .* b: .*\nplan: 2 snapshots to seal \(24 files, 8\.2 MB\), 1 snapshot already/,
	)
	const { stdout: json } = await start('plans', { dryRun: true, json: true })
	t.like(JSON.parse(json.split('\n').at(-1) ?? ''), {
		type: 'summary',
		dryRun: true,
		planned: 2,
		files: 24,
		unchanged: 1,
	})
})
