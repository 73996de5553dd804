import { execFileSync } from 'node:child_process'
import {
	chmodSync,
	existsSync,
	linkSync,
	lstatSync,
	lutimesSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { listSnapshot } from '../../src/cassandra/list-snapshot.ts'
import { runSync } from '../../src/files/io.ts'
import { decodeName, pathOf } from '../../src/files/names.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'

const TABLE = 't-00000000000000000000000000000001'
const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to give a link away'

/** Data directories with one table's snapshot `daily`, made of paths and contents for each. */
function makeDirectories(t: ExecutionContext, ...contents: Record<string, string>[]): string[] {
	const own = ownFolder(t)
	return contents.map((files, at) => {
		const directory = join(own, `data${at}`)
		mkdirSync(tagFolder(directory), { recursive: true })
		for (const [path, text] of Object.entries(files)) {
			const file = `${tagFolder(directory)}/${path}`
			mkdirSync(dirname(file), { recursive: true })
			writeFileSync(pathOf(file), text)
		}
		return directory
	})
}

function tagFolder(directory: string): string {
	return join(directory, 'ks', TABLE, 'snapshots/daily')
}

function look(dataDirectories: string[]) {
	return runSync(listSnapshot({ keyspace: 'ks', table: TABLE, dataDirectories }, 'daily'))
}

function paths(files: { path: string }[] | undefined): string[] | undefined {
	return files?.map(({ path }) => path).sort()
}

const manifest = (...files: string[]) => JSON.stringify({ files })

test('a snapshot is what all data directories hold of it together', (t) => {
	const directories = makeDirectories(
		t,
		{ 'nb-1-big-Data.db': 'one', 'manifest.json': manifest('nb-1-big-Data.db', 'nb-2-big-Data.db') },
		{ 'nb-2-big-Data.db': 'two', '.idx/nb-1-big-Data.db': 'idx', 'schema.cql': 'CREATE' },
		{},
	)
	const found = look([...directories, join(dirname(directories[0] ?? ''), 'missing')])
	t.deepEqual(paths(found?.files), [
		'.idx/nb-1-big-Data.db',
		'manifest.json',
		'nb-1-big-Data.db',
		'nb-2-big-Data.db',
		'schema.cql',
	])
	t.deepEqual(found?.dataDirectories, directories)
	t.deepEqual(found?.manifest, { files: ['nb-1-big-Data.db', 'nb-2-big-Data.db'] })
	t.deepEqual(found?.files.find(({ path }) => path === 'nb-2-big-Data.db')?.directory, 1)
	t.is(found?.folders.filter(({ path }) => path === '').length, 3)
	t.deepEqual([found?.conflicts, found?.leftOut, found?.superseded], [[], [], []])
})

test('a file is known by size, times to the ns, inode, mode and owner', (t) => {
	const [directory = ''] = makeDirectories(t, { file: 'four' })
	const path = join(tagFolder(directory), 'file')
	chmodSync(path, 0o4751)
	execFileSync('touch', ['-d', '@1700000000.123456789', path])
	const stat = lstatSync(path, { bigint: true })
	const [file] = look([directory])?.files ?? []
	t.deepEqual(file, {
		path: 'file',
		size: 4,
		mtimeNs: 1_700_000_000_123_456_789n,
		ino: stat.ino,
		dev: stat.dev,
		mode: 0o4751,
		uid: Number(stat.uid),
		gid: Number(stat.gid),
		directory: 0,
	})
})

test('of several manifests the latest is kept, the others are known, and their lists are united', (t) => {
	const directories = makeDirectories(
		t,
		{ 'manifest.json': manifest('a'), 'schema.cql': 'first' },
		{ 'manifest.json': manifest('b'), 'schema.cql': 'second' },
	)
	const times = [
		[2000, 1000],
		[1000, 2000],
	]
	directories.forEach((directory, at) => {
		for (const [turn, name] of ['manifest.json', 'schema.cql'].entries()) {
			const time = times[at]?.[turn] ?? 0
			utimesSync(join(tagFolder(directory), name), time, time)
		}
	})
	const found = look(directories)
	t.deepEqual(found?.manifest, { files: ['b', 'a'] })
	t.deepEqual(found?.files.map(({ path, directory }) => `${path} ${directory}`).sort(), [
		'manifest.json 0',
		'schema.cql 1',
	])
	t.deepEqual(found?.superseded.map(({ path, directory }) => `${path} ${directory}`).sort(), [
		'manifest.json 1',
		'schema.cql 0',
	])
	t.deepEqual(found?.merged.sort(), ['manifest.json', 'schema.cql'])
	t.deepEqual(found?.conflicts, [])
})

test('one unfinished manifest of several leaves all unfinished', (t) => {
	const directories = makeDirectories(t, { 'manifest.json': manifest('a') }, { 'manifest.json': '{"fil' })
	t.deepEqual(look(directories)?.manifest, { problem: 'manifest.json is not whole JSON', hopeless: false })
})

test('two different files of one name are a conflict, one file twice is none', (t) => {
	const directories = makeDirectories(t, { file: 'same', linked: 'x' }, { file: 'same' })
	const [one = '', other = ''] = directories.map(tagFolder)
	linkSync(join(one, 'linked'), join(other, 'linked'))
	const found = look(directories)
	t.deepEqual(found?.conflicts, ['file'])
	t.deepEqual(paths(found?.superseded), ['file', 'linked'])
})

test('links and special files are named and left out, and nothing behind them is seen', (t) => {
	const [directory = ''] = makeDirectories(t, { 'real/file': 'x' })
	const folder = tagFolder(directory)
	symlinkSync('/etc', join(folder, 'out'))
	symlinkSync('real/file', join(folder, 'real/in'))
	execFileSync('mkfifo', [join(folder, 'fifo')])
	const found = look([directory])
	t.deepEqual(paths(found?.files), ['real/file'])
	t.deepEqual(found?.leftOut.map(({ path, kind }) => `${path}: ${kind}`).sort(), [
		'fifo: FIFO',
		'out: symbolic link',
		'real/in: symbolic link',
	])
})

test('a tag’s folder that is a link is not there, and neither is one behind a linked "snapshots"', (t) => {
	const [directory = '', other = ''] = makeDirectories(t, { file: 'x' }, { file: 'x' })
	renameSync(tagFolder(directory), join(directory, 'elsewhere'))
	symlinkSync(join(directory, 'elsewhere'), tagFolder(directory))
	t.throws(() => look([directory]), { code: 'ENOTDIR' })
	const snapshots = dirname(tagFolder(other))
	renameSync(snapshots, join(other, 'elsewhere'))
	symlinkSync(join(other, 'elsewhere'), snapshots)
	t.throws(() => look([other]), { code: 'ENOTDIR' })
})

test('a keyspace’s and a table’s folder may be links of our own', (t) => {
	const [directory = ''] = makeDirectories(t, { file: 'x' })
	for (const path of [join(directory, 'ks', TABLE), join(directory, 'ks')]) {
		renameSync(path, `${path}.real`)
		symlinkSync(`${path}.real`, path)
	}
	t.deepEqual(paths(look([directory])?.files), ['file'])
})

testWhere(notRoot, 'a table’s folder that is a link of somebody else’s is refused, by name and owner', (t) => {
	const [directory = ''] = makeDirectories(t, { file: 'x' })
	const table = join(directory, 'ks', TABLE)
	renameSync(table, `${table}.real`)
	symlinkSync(`${table}.real`, table)
	execFileSync('chown', ['--no-dereference', '12345', table])
	// root runs this, so a link of root's is ours: only the stranger's is refused.
	t.throws(() => look([directory]), { code: 'EPERM', message: /"t-0+1" is a symbolic link of user 12345/ })
})

test('names of any bytes are found', (t) => {
	const odd = decodeName(Buffer.from([0x61, 0xff, 0x0a, 0x20]))
	const [directory = ''] = makeDirectories(t, { [odd]: 'x', 'with space\n': 'y' })
	t.deepEqual(paths(look([directory])?.files), [odd, 'with space\n'].sort())
})

test('a manifest that is too large, or a folder or a link, is none', (t) => {
	const [big = '', folder = '', link = ''] = makeDirectories(t, {}, {}, {})
	execFileSync('truncate', ['-s', '65M', join(tagFolder(big), 'manifest.json')])
	t.like(look([big])?.manifest, { hopeless: true })
	mkdirSync(join(tagFolder(folder), 'manifest.json'))
	t.is(look([folder])?.manifest, undefined)
	symlinkSync('/etc/hostname', join(tagFolder(link), 'manifest.json'))
	t.is(look([link])?.manifest, undefined)
})

test('a look changes nothing', (t) => {
	const [directory = ''] = makeDirectories(t, { file: 'x', 'manifest.json': manifest('file'), '.idx/file': 'y' })
	lutimesSync(join(tagFolder(directory), 'file'), 1000, 1000)
	const before = execFileSync('find', [directory, '-printf', '%p %i %s %m %T@ %C@\n'], { encoding: 'utf8' })
	look([directory])
	t.is(execFileSync('find', [directory, '-printf', '%p %i %s %m %T@ %C@\n'], { encoding: 'utf8' }), before)
})

test('what is cleared in the middle of a look is no error, wherever that falls', (t) => {
	for (let steps = 0; ; steps++) {
		const [directory = ''] = makeDirectories(t, { 'manifest.json': manifest('a'), '.idx/a': 'x', b: 'y' })
		const work = listSnapshot({ keyspace: 'ks', table: TABLE, dataDirectories: [directory] }, 'daily')
		let cleared = false
		let calls = 0
		let next = work.next()
		while (!next.done) {
			if (calls++ === steps) {
				rmSync(tagFolder(directory), { recursive: true })
				cleared = true
			}
			const step = next.value
			if (!('sync' in step)) throw new Error('unexpected step')
			try {
				next = work.next(step.sync(...(step.args as never[])))
			} catch (error) {
				next = work.throw(error)
			}
		}
		if (!cleared) {
			t.true(steps > 10)
			return
		}
		t.false(existsSync(tagFolder(directory)))
		const found = next.value?.files ?? []
		t.true(found.length <= 3)
		t.is(readdirSync(directory).length, 1)
	}
})
