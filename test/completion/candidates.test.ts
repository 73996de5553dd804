import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { candidatesFor } from '../../src/commands/complete.ts'
import { forBash, splitTyped } from '../../src/commands/completion-line.ts'
import { findWanted } from '../../src/commands/completion-wanted.ts'
import { safeName } from '../../src/haven/layout.ts'
import { cliFile, nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'

const ID = '0'.repeat(32)

/** A haven with receipts that can't be read: their names are all that counts. */
function haven(t: ExecutionContext): string {
	const own = ownFolder(t)
	const has = {
		shop: { orders: ['monday', 'tuesday'], Items: ['monday', 'Großer Tag'] },
		audit: { log: ['yearly'] },
	}
	for (const [keyspace, tables] of Object.entries(has)) {
		for (const [table, tags] of Object.entries(tables)) {
			const folder = join(own, '.snaphaven/receipts', keyspace, safeName(`${table}-${ID}`))
			mkdirSync(folder, { recursive: true })
			for (const tag of tags) {
				writeFileSync(join(folder, `${safeName(tag)}.json`), '', { mode: 0 })
				mkdirSync(join(own, 'data', keyspace, `${table}-${ID}`, 'snapshots', tag), { recursive: true })
			}
		}
	}
	return own
}

/** Where it can't be told, nothing is offered. */
async function candidates(words: string[], current: string): Promise<string> {
	const found = await candidatesFor(words, current).catch(() => [])
	return found === ':files' ? found : found.map(({ word }) => word).join(' ')
}

/** Runs the command with nothing added. */
const run = (...args: string[]) => execa(nodeBinary, [cliFile, ...args], { reject: false })

test('names come from those of receipts, also shortened ones, and are those of the keyspaces and tables in the line', async (t) => {
	const own = haven(t)
	const at = (line: string) => splitTyped(`snaphaven ${line.replace('HAVEN', own)}`)
	const answer = async (line: string) => {
		const { words, current } = at(line)
		return await candidates(words, current)
	}
	t.is(await answer('list -s HAVEN '), 'audit shop')
	t.is(await answer('list -s HAVEN s'), 'shop shop.Items shop.orders')
	t.is(await answer('list -s HAVEN shop.o'), 'shop.orders')
	t.is(await answer('--once -s HAVEN s'), 'shop')
	t.is(await answer('wait -s HAVEN -t '), 'Großer Tag monday tuesday yearly')
	t.is(await answer('restore -s HAVEN shop.orders -t '), 'monday tuesday')
	t.is(await answer('restore -s HAVEN "a*" --tag='), '--tag=yearly')
	t.is(await answer('restore -s HAVEN -qt y'), 'yearly')
	t.is(await answer('restore -sHAVEN -t y'), 'yearly')
	t.is(await answer('restore --unknown -s HAVEN -t y'), '')
	t.is(await answer('restore -s HAVEN/none -t '), '')
	t.is(await answer('restore -t '), '')
	t.is(await answer('restore --to '), ':files')
	t.is(await answer('--once -qv '), '0 1 2')
	t.is(await answer('pru'), 'prune')
	rmSync(join(own, 'data'), { recursive: true })
	t.is(await answer('wait -s HAVEN -t '), 'monday tuesday yearly')
})

test('a flag is offered as long as it may be given again', async (t) => {
	const flags = async (...words: string[]) => {
		const wanted = await findWanted(words, '--')
		return wanted.kind === 'words' ? wanted.words.map(({ word }) => word) : []
	}
	t.true((await flags('list')).includes('--snapshot-dir'))
	t.false((await flags('list', '-s', 'x')).includes('--snapshot-dir'))
	t.true((await flags('list', '-t', 'x')).includes('--tag'))
	t.true((await flags()).includes('--move-snapshots'))
	t.deepEqual(await flags('list', '--'), [])
})

test('a line is divided as bash does, up to the cursor', (t) => {
	const typed = (line: string) => Object.values(splitTyped(line)).map(String)
	t.deepEqual(typed('snaphaven list -t '), ['list,-t', '', ''])
	t.deepEqual(typed(`snaphaven "a b"'c' \\"d e\\ f`), ['a bc,"d', 'e f', ''])
	t.deepEqual(typed(`snaphaven x "a'b`), ['x', "a'b", '"'])
	t.deepEqual(typed(`snaphaven ''`), ['', '', ''])
})

test('bash gets candidates quoted, without what it takes for earlier words', (t) => {
	const breaks = ' \t\n"\'@><=;|&(:'
	const at = (current: string, quote: '' | "'" | '"' = '') => ({ current, quote })
	t.deepEqual(forBash(['a:b c', 'a:b$x'], at('a:b'), breaks), ['b\\ c', 'b\\$x'])
	t.deepEqual(forBash(['a:b c'], at('a'), ' '), ['a:b\\ c'])
	t.deepEqual(forBash(['--tag=täg', '--tag=a=b'], at('--tag='), breaks), ['täg', 'a=b'])
	t.deepEqual(forBash(['a:b c', 'a"x'], at('a', '"'), breaks), ['a:b c'])
})

test('each script is printed, and no other', async (t) => {
	for (const shell of ['bash', 'zsh', 'fish'])
		t.regex((await run('completion', shell)).stdout, new RegExp(`__complete ${shell}`))
	t.is((await run('completion', 'tcsh')).exitCode, 2)
	t.is((await run('completion')).exitCode, 2)
})
