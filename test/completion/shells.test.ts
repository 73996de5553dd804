import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { execa } from 'execa'
import { cliFile, nodeBinary, runCli } from '../support/cli.ts'
import { memory } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'

const own = join(memory, `snaphaven-completion-${process.pid}`)
const haven = join(own, 'haven')

test.before('a haven has keyspaces, tables and tags with odd names', async (t) => {
	mkdirSync(join(own, 'bin'), { recursive: true })
	for (const [keyspace, tags] of [
		['shop', ['monday', 'a:b c']],
		['Audit', ['tuesday']],
	] as const) {
		const tree = makeTree(join(own, keyspace), { keyspace, tables: 1, sstables: 1, dataBytes: 100 })
		for (const tag of tags) takeSnapshot(tree, tag)
		const pass = await runCli(['--once', '-s', haven, ...tree.flags, keyspace], { stateDirectory: join(own, 'state') })
		t.is(pass.exitCode, 0, pass.stderr)
	}
	// What a shell ran is what it had completed.
	const program = join(own, 'bin/snaphaven')
	writeFileSync(
		program,
		`#!/bin/sh
case "$1" in
__complete | completion) exec ${nodeBinary} ${cliFile} "$@" ;;
*) for word; do printf '%s\\n' "$word"; done >> "$RAN"; echo >> "$RAN" ;;
esac
`,
	)
	chmodSync(program, 0o755)
})

test.after.always(() => rmSync(own, { recursive: true, force: true }))

/** What is typed, with a tab for each ⇥, and the command line that it must come to. */
const TYPED: [line: string, words: string[]][] = [
	[`res⇥-s ${haven} -t mon⇥sh⇥.t0⇥`, ['restore', '-s', haven, '-t', 'monday', 'shop.t0000']],
	[`list -s ${haven} -t a⇥`, ['list', '-s', haven, '-t', 'a:b c']],
	[`list -s ${haven} --tag=tu⇥`, ['list', '-s', haven, '--tag=tuesday']],
	[`prune --keep-last 3 -s ${haven} Au⇥`, ['prune', '--keep-last', '3', '-s', haven, 'Audit']],
	[`verify --sam⇥5% -s ${own}/hav⇥`, ['verify', '--sample', '5%', '-s', haven]],
	[`list -t t⇥ -s ${haven}`, ['list', '-t', 't', '-s', haven]],
]

const SHELLS: Record<string, { args: string[]; file: string; text: string }> = {
	bash: {
		args: ['--noprofile', '--rcfile', join(own, 'bash/rc'), '-i'],
		file: 'bash/rc',
		text: "source <(snaphaven completion bash)\nPS1='READY> '\n",
	},
	zsh: {
		args: ['-d', '-i'],
		file: 'zsh/.zshrc',
		text: "autoload -Uz compinit && compinit -u -D\nsource <(snaphaven completion zsh)\nPROMPT='READY> '\n",
	},
	fish: {
		args: ['-i'],
		file: 'fish/config.fish',
		text: "snaphaven completion fish | source\nfunction fish_prompt\n\techo -n 'READY> '\nend\nfunction fish_greeting\nend\n",
	},
}

for (const [shell, { args, file, text }] of Object.entries(SHELLS)) {
	testWhere(
		lacking(shell, 'python3'),
		`${shell} completes commands, flags, and what the haven of the line has`,
		async (t) => {
			mkdirSync(join(own, shell))
			writeFileSync(join(own, file), text)
			const ran = join(own, `${shell}.ran`)
			const lines = TYPED
			const keys = lines.map(([line]) => `snaphaven ${line.replaceAll('⇥', '\t')}\r`).join('')
			const result = await execa(
				'python3',
				[join(import.meta.dirname, 'press-keys.py'), '240', `${keys}exit\r`, shell, ...args],
				{
					reject: false,
					env: {
						...{ PATH: `${join(own, 'bin')}:${process.env['PATH']}`, HOME: join(own, shell), TERM: 'xterm', RAN: ran },
						SNAPHAVEN_TEST_PATIENCE: '120000',
						...{ ZDOTDIR: join(own, 'zsh'), XDG_CONFIG_HOME: own, XDG_DATA_HOME: join(own, shell, 'data') },
					},
				},
			)
			t.is(result.exitCode, 0, result.stdout)
			const words = existsSync(ran) ? readFileSync(ran, 'utf8').split('\n\n').slice(0, -1) : []
			t.deepEqual(
				words.map((line) => line.split('\n').map((word) => word.replace(/\/$/, ''))),
				lines.map(([, expected]) => expected),
				result.stdout,
			)
		},
	)
}

function lacking(...programs: string[]): string | undefined {
	const missing = programs.find((program) => {
		try {
			execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
			return false
		} catch {
			return true
		}
	})
	return missing === undefined ? undefined : `no ${missing}`
}
