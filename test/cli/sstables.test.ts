import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { textOf } from '../cassandra-files/support/transaction-logs.ts'
import { cliFile, nodeBinary, startCommand } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { makeTree, type Tree, takeSnapshot } from '../support/tree.ts'

const LOG = 'nb_txn_compaction_a5c2f160-e58a-11f1-ba75-8140cf8cdd6e.log'

function sstables(...args: string[]) {
	return startCommand([nodeBinary, cliFile, 'sstables', ...args], {})
}

/** A folder of the tree's first table, in each data directory. */
function tableFolders({ dataDirectories, keyspace, folders }: Tree): string[] {
	return dataDirectories.map((directory) => join(directory, keyspace, folders[0] ?? ''))
}

test('sstables lists what is live of a keyspace, in each data directory, without a haven', async (t) => {
	const tree = makeTree(ownFolder(t), { sstables: 3, dataDirectories: 2 })
	takeSnapshot(tree, 'daily')
	const { exitCode, stdout, stderr } = await sstables(...tree.flags, 'ks')
	t.is(exitCode, 0, stderr)
	const lines = stdout.split('\n')
	t.is(lines.length, 7)
	const [first = ''] = tree.folders
	t.regex(lines[0] ?? '', new RegExp(`^live ks/${first}/nb-1-big: 8 files, 4\\.\\d+ kB in ${tree.dataDirectories[1]}$`))
	t.regex(lines[6] ?? '', /^done: 6 live SSTables \(48 files, .* kB\) in 2 tables$/)
	const one = await sstables(...tree.flags, `ks.${first.slice(0, 5)}`)
	t.is(one.stdout.split('\n').length, 4)
})

test('--files tells the paths of the live files alone, whatever a compaction has begun', async (t) => {
	const tree = makeTree(ownFolder(t), { sstables: 3, tables: 1 })
	const [folder = ''] = tableFolders(tree)
	writeFileSync(join(folder, LOG), textOf([{ type: 'ADD', path: `/elsewhere/${tree.folders[0]}/nb-3-big-`, files: 8 }]))
	const { exitCode, stdout, stderr } = await sstables(...tree.flags, '--files', 'ks')
	t.is(exitCode, 0, stderr)
	const expected = readdirSync(folder).filter((name) => /^nb-[12]-/.test(name))
	t.deepEqual(stdout.split('\n').sort(), expected.map((name) => join(folder, name)).sort())
	t.true(stdout.split('\n').every((path) => existsSync(path)))
})

test('--json tells each SSTable, each log and a sum', async (t) => {
	const tree = makeTree(ownFolder(t), { sstables: 2, tables: 1 })
	const [folder = ''] = tableFolders(tree)
	writeFileSync(join(folder, LOG), textOf([{ type: 'ADD', path: join(folder, 'nb-2-big-'), files: 8 }]))
	const { exitCode, stdout } = await sstables(...tree.flags, '--json', 'ks')
	t.is(exitCode, 0)
	const [log, one, two, summary] = stdout.split('\n').map((line) => JSON.parse(line))
	t.like(log, { type: 'log', keyspace: 'ks', name: LOG, state: 'running' })
	t.like(one, { type: 'sstable', keyspace: 'ks', table: tree.folders[0], sstable: 'nb-1-big', state: 'live' })
	t.is(one.files.length, 8)
	t.like(two, { sstable: 'nb-2-big', state: 'temporary' })
	t.like(summary, { type: 'summary', exitCode: 0, tables: 1, damagedLogs: 0 })
})

test('a damaged log is told, and what it leaves unknown, exit 3', async (t) => {
	const tree = makeTree(ownFolder(t), { sstables: 1, tables: 1 })
	const [folder = ''] = tableFolders(tree)
	writeFileSync(join(folder, LOG), 'rubbish\nmore\n')
	const { exitCode, stdout, stderr } = await sstables(...tree.flags, 'ks')
	t.is(exitCode, 3)
	t.regex(stderr, new RegExp(`^damaged log: ks/${tree.folders[0]}/${LOG}: line 1 is no record`, 'm'))
	t.regex(stderr, /^unknown: ks\/\S+\/nb-1-big: 8 files, .*; a line that can’t be read may name it/m)
	t.regex(stdout, /^done: 0 live SSTables .*, 1 unknown$/)
})

test('what is no table is wrong usage, exit 2', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1, sstables: 1 })
	for (const [args, message] of [
		[[], /^error: of what\?/],
		[['ks.none'], /^error: no table ks\.none in /],
		[['none'], /^error: no keyspace "none" in /],
		[['ks/t'], /^error: "ks\/t" is no keyspace/],
		[['--files', '--json', 'ks'], /^error: --files and --json cannot/],
	] as const) {
		const { exitCode, stdout, stderr } = await sstables(...tree.flags, ...args)
		t.is(exitCode, 2, stderr)
		t.is(stdout, '')
		t.regex(stderr, message)
	}
})
