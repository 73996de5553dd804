import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const child = join(import.meta.dirname, 'support/pass-child.ts')
const missing =
	spawnSync('script', ['--version']).error === undefined ? undefined : 'script, of util-linux, gives a terminal'

/** Runs it on a person's terminal, where CI is not set (chalk has no colours then); what was written there. */
async function onTerminal(env: Record<string, string>, redirection = ''): Promise<string> {
	const { stdout } = await execa(
		'script',
		['-qec', `unset CI; stty cols 100 rows 30; ${nodeBinary} ${child} tells ${redirection}`, '/dev/null'],
		{
			env: { TERM: 'xterm-256color', ...env },
			timeout: 300_000,
		},
	)
	return stdout
}

testWhere(missing, 'a terminal gets a line of progress that stays last and is gone in the end', async (t) => {
	const written = await onTerminal({ NO_COLOR: '1' })
	t.true(written.includes('1/2 snapshots · 1/2 files'))
	const plain = stripVTControlCharacters(written)
	t.regex(plain, /snapshots.*sealed shop\.orders daily-1.*snapshots.*done: 1 snapshot sealed/s)
	const end = written.slice(written.lastIndexOf('/2 files'))
	t.true(end.includes('\u001b[2K'), 'the line is erased before the summary')
})

testWhere(missing, 'a terminal gets colours, but not with NO_COLOR', async (t) => {
	t.true((await onTerminal({})).includes('\u001b[32msealed'))
	t.false((await onTerminal({ NO_COLOR: '1' })).includes('\u001b[3'))
})

testWhere(missing, 'only the stream that is a terminal gets colours', async (t) => {
	const file = join(await temporaryFolder(t), 'stdout')
	t.true((await onTerminal({}, `> ${file}`)).includes('\u001b[33mwarning:'))
	t.regex(await readFile(file, 'utf8'), /^sealed shop/)
})

test('FORCE_COLOR colours also what is no terminal, and beats NO_COLOR', async (t) => {
	const env = { FORCE_COLOR: '1', NO_COLOR: '1' }
	const { stdout, stderr } = await execa(nodeBinary, [child, 'tells'], { env })
	t.true(stdout.startsWith('\u001b[32msealed\u001b[39m shop'))
	t.true(stderr.includes('\u001b[33mwarning:\u001b[39m odd'))
})

test('without a terminal there are neither colours nor other controls', async (t) => {
	const { stdout, stderr } = await execa(nodeBinary, [child, 'tells'])
	t.notRegex(stdout + stderr, /\p{Cc}(?<!\n)/u)
	t.notRegex(stderr, /1\/2 snapshots/)
})
