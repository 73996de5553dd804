import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { levelOf } from '../../src/report/log-format.ts'
import { nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'

const child = join(import.meta.dirname, '../commands/support/pass-child.ts')

/** What a made-up pass writes to stderr and, by itself or with it, to stdout. */
async function written(run: string, report: object, env: Record<string, string> = {}) {
	return await execa(nodeBinary, [child, run, JSON.stringify({ verbosity: 2, ...report })], { env, reject: false })
}

/** What a pass writes where both of its streams go to this file, and JOURNAL_STREAM names one. */
async function journaled(t: ExecutionContext, run: string, report: object, right = true): Promise<string[]> {
	const file = join(ownFolder(t), 'journal')
	const fd = openSync(file, 'a')
	t.teardown(() => closeSync(fd))
	const { dev, ino } = fstatSync(fd, { bigint: true })
	const running = spawn(nodeBinary, [child, run, JSON.stringify({ verbosity: 2, ...report })], {
		env: { ...process.env, JOURNAL_STREAM: `${dev}:${right ? ino : ino + 1n}` },
		stdio: ['ignore', fd, fd],
	})
	await once(running, 'exit')
	return readFileSync(file, 'utf8').trimEnd().split('\n')
}

test('a service’s lines begin with the time, on both streams, and a pass’s do not', async (t) => {
	const service = await written('tells', { service: true })
	const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (sealed|done:|waiting|skipped|warning:) /
	for (const line of [...service.stdout.split('\n'), ...service.stderr.split('\n')]) t.regex(line, iso)
	const pass = await written('tells', {})
	t.regex(pass.stdout, /^sealed shop\.orders/)
	t.regex(pass.stderr, /^waiting /)
})

test('the journal gets each line with its level, and no time', async (t) => {
	for (const service of [true, false]) {
		const lines = await journaled(t, 'tells', { service })
		t.deepEqual(
			lines.map((line) => /^<\d>\S+/.exec(line)?.[0]),
			['<6>sealed', '<6>waiting', '<7>skipped', '<4>warning:', '<6>done:'],
		)
	}
	t.deepEqual(await journaled(t, 'fails', { service: true }), ['<3>error: it failed', '<3>  mend it'])
})

test('a stream that is not the journal’s, though a parent’s was, gets no levels', async (t) => {
	t.regex((await journaled(t, 'tells', {}, false))[0] ?? '', /^sealed shop/)
})

test('--log-format json is one object a line on stderr, with level, time, message and the event, and no line elsewhere', async (t) => {
	const { stdout, stderr } = await written('tells', { service: true, logFormat: 'json' })
	t.is(stdout, '')
	const objects = stderr.split('\n').map((line) => JSON.parse(line))
	for (const { time } of objects) t.regex(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
	const [sealed, waiting, skipped, warning, summary, ...more] = objects
	t.deepEqual(more, [])
	t.like(sealed, { level: 'info', type: 'sealed', keyspace: 'shop', tag: 'daily-1', state: 'whole' })
	t.regex(sealed.message, /^sealed shop\.orders daily-1: /)
	t.is(typeof sealed.bytes, 'number')
	t.like(waiting, { level: 'info', type: 'waiting', reason: 'not yet', tag: 'daily-1' })
	t.like(skipped, { level: 'debug', type: 'skipped', reason: 'ephemeral' })
	t.like(warning, { level: 'warn', type: 'warning', message: 'warning: odd' })
	t.like(summary, { level: 'info', type: 'summary', exitCode: 0, sealed: 1 })
	for (const line of stderr.split('\n')) t.is(line.match(/"(message|level|time)":/g)?.length, 3)
})

test('--log-format json tells an error with its hint, and leaves --json its stdout', async (t) => {
	const { stdout, stderr } = await written('fails', { logFormat: 'json', json: true })
	t.like(JSON.parse(stdout), { type: 'error', message: 'it failed' })
	const [error, hint] = stderr.split('\n').map((line) => JSON.parse(line))
	t.like(error, { level: 'error', type: 'error', message: 'error: it failed', hint: 'mend it', exitCode: 1 })
	t.like(hint, { level: 'error', message: 'mend it' })
})

test('control characters and names that are no UTF-8 reach no reader of the log as they are', async (t) => {
	const { stderr } = await written('strange', { logFormat: 'json' })
	t.notRegex(stderr, /[\p{Cc}\p{Cf}\p{Cs}](?<!\n)/u)
	t.is(JSON.parse(stderr.split('\n')[0] ?? '').tag, 'a\u001b[31m\u202eb\udc80')
})

test('each line has one level, by what it says', (t) => {
	t.is(levelOf({ kind: 'bad', importance: 'result' }), 'error')
	t.is(levelOf({ kind: 'doubtful', importance: 'problem' }), 'warn')
	t.is(levelOf({ kind: 'plain', importance: 'problem' }), 'error')
	t.is(levelOf({ kind: 'plain', importance: 'detail' }), 'debug')
	t.is(levelOf({ kind: 'good', importance: 'summary' }), 'info')
})
