import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../support/cli.ts'

const script = join(import.meta.dirname, '../../scripts/start.mjs')

/** Runs it with a folder of its own for what is temporary. */
async function start(args: string[], env: Record<string, string> = {}) {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-start-'))
	const result = await execa(nodeBinary, [script, ...args], {
		env: { TMPDIR: folder, ...env },
		reject: false,
		timeout: 300_000,
	})
	const left = await readdir(folder)
	await rm(folder, { recursive: true })
	return { ...result, left }
}

test('the demonstration mirrors a recorded node, proves every Data.db, and leaves nothing behind', async (t) => {
	const { exitCode, stdout, left } = await start([])
	t.is(exitCode, 0)
	t.regex(stdout, /^done: 30 snapshots sealed \(1,028 files/m)
	t.regex(stdout, /101 of 101 Data\.db agree/)
	t.regex(stdout, /^done: 30 snapshots already safe/m)
	t.regex(stdout, /npm start -- --once -s \/mnt\/nas\/\{host\} \w+/)
	t.is(stdout.match(/7 tables, 30 snapshots, 1028 files/g)?.length, 2)
	t.deepEqual(left, [])
})

test('--keep leaves what the demonstration made, and tells where', async (t) => {
	const { exitCode, stdout, left } = await start(['--keep'])
	t.is(exitCode, 0)
	t.is(left.length, 1)
	t.true(stdout.includes(`/${left[0]}`))
})

test('with arguments it is the command, in the folder that npm was called from', async (t) => {
	const { exitCode, stdout } = await start(['--version'])
	t.is(exitCode, 0)
	t.regex(stdout, /^snaphaven \d+\.\d+\.\d+$/)
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-called-from-'))
	t.teardown(() => rm(folder, { recursive: true }))
	const here = await start(['--once', '-s', '.', '--data-dir', '.', 'ks'], { INIT_CWD: folder })
	t.is(here.exitCode, 2)
	t.true(here.stderr.includes(folder), here.stderr)
})
