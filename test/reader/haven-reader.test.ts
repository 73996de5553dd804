import { existsSync, globSync } from 'node:fs'
import { mkdtemp, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa, execaSync } from 'execa'
import { runCli } from '../support/cli.ts'
import { fixtureNames, readExpected, unpackFixture } from '../support/fixtures.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, makeTree, type Tree, takeSnapshot } from '../support/tree.ts'

/** A reader that was written from docs/haven-format.md alone: where it and a haven disagree, one of the two is wrong. */
const reader = join(import.meta.dirname, 'haven-reader.py')
const missing = execaSync('python3', ['--version'], { reject: false }).exitCode === 0 ? undefined : 'needs python3'

/** As the reader lists a snapshot: keyspace, table, tag, state, number of files, bytes. */
type Line = [keyspace: string, table: string, tag: string, state: string, files: number, bytes: number]

interface Reading {
	exitCode: number | undefined
	lines: Line[]
	stderr: string
}

async function read(haven: string): Promise<Reading> {
	const { exitCode, stdout, stderr } = await execa('python3', [reader, haven], { reject: false })
	const lines = stdout === '' ? [] : stdout.split('\n').map((line): Line => JSON.parse(line))
	return { exitCode, lines: lines.sort(byName), stderr }
}

function byName(one: Line, other: Line): number {
	return one.join('\0') < other.join('\0') ? -1 : 1
}

/** What the reader should list, by what the node's disk has: a file of several data directories counts once, the latest. */
async function linesOf(dataDirectories: string[], keyspaces: string[]): Promise<Line[]> {
	const found = new Map<string, Map<string, { bytes: number; changed: number }>>()
	for (const folder of globSync(
		dataDirectories.flatMap((data) => keyspaces.map((keyspace) => `${data}/${keyspace}/*/snapshots/*`)),
	)) {
		const [tag, , table, keyspace] = folder.split('/').reverse()
		const key = JSON.stringify([keyspace, table, tag])
		const files = found.get(key) ?? new Map()
		found.set(key, files)
		const format = '%P\\0%s\\0%T@\\0'
		const { stdout } = await execa('find', [folder, '-type', 'f', '-printf', format], { encoding: 'latin1' })
		for (const [, path, bytes, changed] of stdout.matchAll(/([^\0]+)\0([^\0]+)\0([^\0]+)\0/g)) {
			if (Number(changed) >= (files.get(path)?.changed ?? 0)) {
				files.set(path, { bytes: Number(bytes), changed: Number(changed) })
			}
		}
	}
	const lines = [...found].map(([key, files]): Line => {
		const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0)
		const [keyspace, table, tag] = JSON.parse(key)
		return [keyspace, table, tag, 'whole', files.size, bytes]
	})
	return lines.sort(byName)
}

async function makeFolder(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-reader-'))
	t.teardown(() => rm(folder, { recursive: true, force: true }))
	return folder
}

/** A node with two tags, one of them with signs, and a file whose name is not UTF-8. */
async function makeNode(folder: string): Promise<Tree> {
	const tree = makeTree(join(folder, 'node'), { dataDirectories: 2 })
	takeSnapshot(tree, 'daily-1')
	flushTables(tree)
	takeSnapshot(tree, 'a:b c')
	const [place = ''] = globSync(`${tree.root}/data/ks/t0000-*/snapshots/a:b c`)
	await writeFile(Buffer.concat([Buffer.from(`${place}/odd-`), Buffer.of(0xff, 0xfe, 0x0a)]), 'seven b')
	return tree
}

async function mirror(t: ExecutionContext, flags: string[], keyspaces: string[], haven: string): Promise<void> {
	const { exitCode, stderr } = await runCli(['sync', '--once', '-s', haven, ...flags, ...keyspaces])
	t.is(exitCode, 0, stderr)
}

testWhere(
	missing,
	'the reader finds the very snapshots of a made-up node, whatever their names, and all as sealed',
	async (t) => {
		const folder = await makeFolder(t)
		const tree = await makeNode(folder)
		const haven = join(folder, 'haven')
		await mirror(t, tree.flags, [tree.keyspace], haven)
		const { exitCode, lines, stderr } = await read(haven)
		t.is(stderr, '')
		t.is(exitCode, 0)
		t.is(lines.length, 4)
		t.deepEqual(lines, await linesOf(tree.dataDirectories, [tree.keyspace]))
	},
)

for (const name of fixtureNames) {
	testWhere(missing, `the reader finds the very snapshots of ${name}, and all as sealed`, async (t) => {
		const folder = await makeFolder(t)
		const node = await unpackFixture(name)
		t.teardown(() => rm(node, { recursive: true, force: true }))
		const { dataDirectories, keyspaces, snapshots } = await readExpected(node)
		const directories = dataDirectories.map((path) => join(node, path))
		const haven = join(folder, 'haven')
		await mirror(
			t,
			directories.flatMap((path) => ['--data-dir', path]),
			keyspaces,
			haven,
		)
		const { exitCode, lines, stderr } = await read(haven)
		t.is(stderr, '')
		t.is(exitCode, 0)
		t.deepEqual(lines, await linesOf(directories, keyspaces))
		t.is(lines.length, snapshots.filter(({ keyspace }) => keyspaces.includes(keyspace)).length)
	})
}

interface Damage {
	what: string
	/** Which file it is done to, as a glob in the haven. */
	to: string
	/** Does it, and gives what the reader must name. */
	damage: (path: string) => Promise<string>
}

const receipt = '.snaphaven/receipts/ks/t0000-*/daily-1.json'
const damages: Damage[] = [
	{
		what: 'one byte changed',
		to: 'data/ks/t0001-*/snapshots/a:b c/nb-3-*-Data.db',
		damage: async (path) => {
			const file = await open(path, 'r+')
			const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 1000)
			await file.write(Buffer.of((buffer[0] ?? 0) ^ 1), 0, 1, 1000)
			await file.close()
			return `${basename(path)}: 4000 bytes of CRC-32 `
		},
	},
	{
		what: 'a file removed',
		to: 'data/ks/t0001-*/snapshots/daily-1/*-Index.db',
		damage: async (path) => {
			await rm(path)
			return `${basename(path)}: No such file or directory`
		},
	},
	{
		what: 'a file cut short',
		to: 'data/ks/t0000-*/snapshots/daily-1/schema.cql',
		damage: async (path) => {
			await truncate(path, 3)
			return 'schema.cql: 3 bytes of CRC-32 '
		},
	},
	{
		what: 'a receipt edited',
		to: receipt,
		damage: async (path) => {
			await writeFile(path, (await readFile(path, 'utf8')).replace('"size":4000', '"size":4001'))
			return 'daily-1.json: its checksum does not hold'
		},
	},
	{
		what: 'a receipt cut short',
		to: receipt,
		damage: async (path) => {
			await truncate(path, (await readFile(path)).length - 30)
			return 'daily-1.json: its checksum does not hold'
		},
	},
	{
		what: "a receipt under another's name",
		to: receipt,
		damage: async (path) => {
			await rename(path, join(dirname(path), 'daily-2.json'))
			return 'daily-2.json does not stand where it belongs'
		},
	},
]

let mirrored: Promise<string> | undefined

/** A haven of its own for each test, with the same files shared: mirrored once, copied with its hard links. */
async function copyMirrored(t: ExecutionContext): Promise<string> {
	mirrored ??= mkdtemp(join(tmpdir(), 'snaphaven-reader-')).then(async (folder) => {
		const tree = await makeNode(folder)
		await mirror(t, tree.flags, [tree.keyspace], join(folder, 'haven'))
		return folder
	})
	const haven = join(await makeFolder(t), 'haven')
	await execa('cp', ['-a', join(await mirrored, 'haven'), haven])
	return haven
}

test.after.always(async () => {
	const folder = await mirrored?.catch(() => undefined)
	if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

for (const { what, to, damage } of damages) {
	testWhere(missing, `the reader names just that, and fails, after ${what}`, async (t) => {
		const haven = await copyMirrored(t)
		const [path = ''] = globSync(join(haven, to))
		const named = await damage(path)
		const { exitCode, stderr } = await read(haven)
		t.is(exitCode, 1)
		t.is(stderr.split('\n').length, 1, stderr)
		t.true(stderr.startsWith('wrong: ') && stderr.includes(named), stderr)
	})
}

/** Kills the process where it is about to remove an intent, its receipts in place, as a module for --import. */
const killer = `
import fs from 'node:fs'
for (const name of ['unlink', 'unlinkSync']) {
	const real = fs[name]
	fs[name] = (path, ...rest) => {
		if (/\\/group-\\d+\\.json$/.test(path)) process.kill(process.pid, 'SIGKILL')
		return real(path, ...rest)
	}
}`

testWhere(missing, 'the reader leaves out and names what a killed run was sealing, until the next run', async (t) => {
	const folder = await makeFolder(t)
	const tree = makeTree(join(folder, 'node'))
	const haven = join(folder, 'haven')
	takeSnapshot(tree, 'old')
	await mirror(t, tree.flags, [tree.keyspace], haven)
	const old = await linesOf(tree.dataDirectories, [tree.keyspace])
	takeSnapshot(tree, 'new')
	const args = ['sync', '--once', '-s', haven, ...tree.flags, tree.keyspace]
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(killer)}` }
	t.is((await runCli(args, { env })).signal, 'SIGKILL')
	t.true(globSync(join(haven, '.snaphaven/partial/*/group-*.json')).length > 0)
	t.true(tree.folders.every((table) => existsSync(join(haven, '.snaphaven/receipts/ks', table, 'new.json'))))

	const after = await read(haven)
	t.is(after.exitCode, 0)
	t.deepEqual(after.lines, old)
	t.deepEqual(
		after.stderr.split('\n').sort(),
		tree.folders.map((table) => `in doubt: ["ks", "${table}", "new"]`).sort(),
	)

	await mirror(t, tree.flags, [tree.keyspace], haven)
	const finished = await read(haven)
	t.is(finished.stderr, '')
	t.deepEqual(finished.lines, await linesOf(tree.dataDirectories, [tree.keyspace]))
	t.is(finished.lines.length, 2 * old.length)
})
