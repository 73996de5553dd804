import { execFileSync } from 'node:child_process'
import {
	appendFileSync,
	chmodSync,
	copyFileSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import test from 'ava'
import { execaSync } from 'execa'
import { parseComponent } from '../../src/cassandra/sstable.ts'
import { withChecksum, withoutChecksum } from '../../src/haven/sealed-text.ts'
import { assertNoTrace, changesBetween, fingerprint, makeScene, objectsOf } from '../mirror/support/scene.ts'
import { fixtureNames } from '../support/fixtures.ts'
import { testWhere } from '../support/not-run.ts'
import { readReceipts } from '../support/receipts.ts'
import { takeSnapshot } from '../support/tree.ts'
import { damagesOf, filesByInode, flipBit, type Sealed, sealedFixture, verify } from './support.ts'

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
const missing =
	process.getuid?.() !== 0
		? 'needs root to be another user'
		: execaSync('setpriv', asNobody.slice(1).concat('true'), { reject: false }).exitCode === 0
			? undefined
			: 'needs setpriv'

/** What a component is, apart from which SSTable's or index's it is. */
function kindOf(path: string): string {
	const component = parseComponent(path)?.component ?? basename(path)
	return component.startsWith('SAI+') ? (component.split('+').at(-1) ?? '') : component
}

/** One file of the mirror for each kind of component, with all its names; none is empty. */
function oneOfEachKind({ haven }: Sealed): Map<string, string[]> {
	const files = new Map<string, string[]>()
	for (const paths of filesByInode(haven)) {
		const [first = ''] = paths
		if (statSync(join(haven, first)).size > 0 && !files.has(kindOf(first))) files.set(kindOf(first), paths)
	}
	return files
}

for (const name of fixtureNames) {
	test.serial(
		`a flipped bit in any kind of component is named, under each name of the file, and nothing else: ${name}`,
		async (t) => {
			const sealed = await sealedFixture(t, name)
			const before = fingerprint(sealed.haven)
			const good = await verify(sealed, ['--json', ...sealed.node])
			t.is(good.exitCode, 0, good.stdout)
			t.like(objectsOf(good).at(-1), {
				files: filesByInode(sealed.haven).length,
				snapshots: readReceipts(sealed.haven).length,
				damages: 0,
			})
			const changes = changesBetween(before, fingerprint(sealed.haven))
			t.true(
				changes.every((line) => / (\.snaphaven|\.snaphaven\/verified\.json) /.test(line)),
				changes.join('\n'),
			)
			const files = oneOfEachKind(sealed)
			t.true(files.size >= 8, [...files.keys()].join())
			for (const [path = ''] of files.values()) flipBit(join(sealed.haven, path))
			const bad = await verify(sealed, ['--json', ...sealed.node])
			t.is(bad.exitCode, 3)
			const expected = [...files.values()].flat().map((path): [string, string] => [path, 'other bytes'])
			t.deepEqual(damagesOf(bad), expected.sort())
		},
	)
}

test.serial(
	'what is missing, cut, grown, swapped, linked elsewhere or no file is named by kind, and nothing else',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-big')
		const { haven } = sealed
		const own = filesByInode(haven)
			.filter((paths) => paths.length === 1)
			.flat()
			.filter((path) => statSync(join(haven, path)).size > 0)
		const take = (component: string) => {
			const at = own.findIndex((path) => kindOf(path) === component)
			t.not(at, -1, component)
			return own.splice(at, 1)[0] ?? ''
		}
		const place = (path: string) => join(haven, path)
		const [missing, cut, grown, link, folder] = ['Index.db', 'Data.db', 'Filter.db', 'Summary.db', 'TOC.txt'].map(take)
		const [one = '', other = ''] = [take('Statistics.db'), take('Statistics.db')]
		rmSync(place(missing ?? ''))
		truncateSync(place(cut ?? ''), 10)
		appendFileSync(place(grown ?? ''), 'x')
		renameSync(place(link ?? ''), join(haven, 'elsewhere'))
		symlinkSync(join(haven, 'elsewhere'), place(link ?? ''))
		rmSync(place(folder ?? ''))
		mkdirSync(place(folder ?? ''))
		renameSync(place(one), join(haven, 'between'))
		renameSync(place(other), place(one))
		renameSync(join(haven, 'between'), place(other))
		const sizes = [one, other].map((path) => statSync(place(path)).size)
		const swapped = sizes[0] === sizes[1] ? 'other bytes' : 'other size'
		const result = await verify(sealed, ['--json'])
		t.is(result.exitCode, 3)
		t.deepEqual(
			damagesOf(result),
			[
				[missing, 'missing'],
				[cut, 'other size'],
				[grown, 'other size'],
				[link, 'no file'],
				[folder, 'no file'],
				[one, swapped],
				[other, swapped],
			].sort() as [string, string][],
		)
		t.is(objectsOf(result).filter(({ type }) => type === 'extra').length, 0)
	},
)

test.serial('a snapshot whose folder is gone, or a link, is named once', async (t) => {
	const sealed = await sealedFixture(t, 'cassandra-4.1-nb')
	const [one, two] = readReceipts(sealed.haven).map(({ file }) => {
		const { keyspace, table, tag } = JSON.parse(readFileSync(file, 'utf8'))
		return `data/${keyspace}/${table}/snapshots/${tag}`
	})
	rmSync(join(sealed.haven, one ?? ''), { recursive: true })
	renameSync(join(sealed.haven, two ?? ''), join(sealed.haven, 'elsewhere'))
	symlinkSync(join(sealed.haven, 'elsewhere'), join(sealed.haven, two ?? ''))
	t.deepEqual(
		damagesOf(await verify(sealed, ['--json'])),
		[[one, 'missing'] as const, [two, 'no file'] as const].sort() as never,
	)
})

test.serial(
	'an edited receipt is named, and what is forged with a true checksum is found by the copies and the manifest',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-bti')
		const files = readReceipts(sealed.haven).flatMap((one) =>
			'receipt' in one && one.receipt.files.some(({ path }) => path.endsWith('Data.db')) ? [one] : [],
		)
		const [edited, head, forged, short] = files
		const text = (file = '') => readFileSync(file, 'utf8')
		const folderOf = (one: (typeof files)[number] | undefined) =>
			`data/${one?.receipt.keyspace}/${one?.receipt.table}/snapshots/${one?.receipt.tag}`
		const within = (file = '') => file.slice(sealed.haven.length + 1)
		writeFileSync(edited?.file ?? '', text(edited?.file).replace('"mode":420', '"mode":511'))
		writeFileSync(head?.file ?? '', text(head?.file).replace('"state"', '"stat\n"'))
		const crc = forged?.receipt.files[0]?.crc32 ?? ''
		const changed = withoutChecksum(text(forged?.file)).replace(`"crc32":"${crc}"`, '"crc32":"00000000"')
		writeFileSync(forged?.file ?? '', withChecksum(changed))
		const json = JSON.parse(text(short?.file))
		const lost = json.files.find(({ path }: { path: string }) => path.endsWith('Data.db')).path
		json.files = json.files.filter(({ path }: { path: string }) => path !== lost)
		const { checksum: _, folders, files: kept, ...rest } = json
		const lines = kept.map((one: unknown) => JSON.stringify(one)).join(',\n')
		const body = `${JSON.stringify(rest).slice(0, -1)},\n"folders":${JSON.stringify(folders)},\n"files":[\n${lines}\n]}`
		writeFileSync(short?.file ?? '', withChecksum(body))
		const result = await verify(sealed, ['--json'])
		t.is(result.exitCode, 3)
		t.deepEqual(
			damagesOf(result),
			[
				[within(edited?.file), 'receipt'],
				[within(head?.file), 'receipt'],
				[`${folderOf(forged)}/${forged?.receipt.files[0]?.path}`, 'other bytes'],
				[`${folderOf(short)}/manifest.json`, 'manifest'],
			].sort() as [string, string][],
		)
		const extra = objectsOf(result).find(({ type }) => type === 'extra')
		t.deepEqual(extra?.['paths'], [lost])
	},
)

test.serial('what no receipt knows is told of and left alone, exit 0', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily')
	writeFileSync(join(folder, 'notes'), 'mine')
	mkdirSync(join(folder, 'more'))
	writeFileSync(join(folder, 'more/inside'), 'mine')
	const { exitCode, stderr, stdout } = await verify(scene, ['-v', '2'])
	t.is(exitCode, 0)
	t.regex(stderr, /^extra: ks\/t0000-\w+\/snapshots\/daily: 2 files .*\n {2}more\n {2}notes$/)
	t.regex(stdout, /; no damage; 2 unknown to the receipts$/)
	t.is(readFileSync(join(folder, 'more/inside'), 'utf8'), 'mine')
})

test.serial(
	'a good copy is found in another snapshot that does not share the file, and on the node, and proven',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-bti')
		const shared = filesByInode(sealed.haven).filter(
			(paths) => paths.length > 1 && kindOf(paths[0] ?? '') === 'Data.db',
		)
		const [paths = []] = shared
		const [first = '', second = ''] = paths.map((path) => join(sealed.haven, path))
		// Apart from now on, as on a file system without hard links.
		copyFileSync(second, `${second}.copy`)
		utimesSync(`${second}.copy`, statSync(second).atime, statSync(second).mtime)
		renameSync(`${second}.copy`, second)
		flipBit(first)
		const found = async (...flags: string[]) => {
			const damage = objectsOf(await verify(sealed, ['--json', ...flags])).find(({ type }) => type === 'damage')
			return damage?.['good'] as { where: string; path: string }[]
		}
		const good = await found(...sealed.node)
		t.deepEqual(
			good.map(({ where }) => where),
			['haven', 'node'],
		)
		t.is(good[0]?.path, paths[1])
		t.is(basename(good[1]?.path ?? ''), basename(first))
		flipBit(second)
		for (const path of filesByInode(dirname(sealed.dataDirectories[0] ?? '')).flat()) {
			if (path.endsWith(basename(first))) rmSync(join(dirname(sealed.dataDirectories[0] ?? ''), path))
		}
		t.deepEqual(
			(await found(...sealed.node)).filter(({ path }) => path === paths[1]),
			[],
		)
	},
)

test.serial('damage that was on the node already is told as that, exit 3', async (t) => {
	const scene = makeScene(t)
	const live = join(scene.node.dataDirectories[0] ?? '', 'ks', scene.node.folders[0] ?? '')
	flipBit(join(live, 'nb-1-big-Data.db'))
	takeSnapshot(scene.node, 'daily')
	t.is((await scene.sync()).exitCode, 3)
	const { exitCode, stderr, stdout } = await verify(scene)
	t.is(exitCode, 3)
	t.regex(stderr, /^damaged at the source: data\/ks\/t0000-\w+\/snapshots\/daily\/nb-1-big-Data\.db: its CRC-32 is .*$/)
	t.regex(stdout, /no damage; 1 damaged at the source$/)
})

test.serial('--quick finds what has another size or time, and reads only what has another time', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [one = '', two = ''] = scene.node.folders.map((table) => join(scene.haven, 'data/ks', table, 'snapshots/daily'))
	t.like(objectsOf(await verify(scene, ['--json', '--quick'])).at(-1), { exitCode: 0, files: 0, snapshots: 2 })
	flipBit(join(one, 'nb-1-big-Data.db'))
	t.is((await verify(scene, ['--quick'])).exitCode, 0)
	utimesSync(join(one, 'nb-1-big-Data.db'), 1, 1)
	utimesSync(join(one, 'nb-1-big-Index.db'), 1, 1)
	truncateSync(join(two, 'nb-2-big-Data.db'), 5)
	const result = await verify(scene, ['--json', '--quick'])
	t.deepEqual(
		damagesOf(result).map(([path, kind]) => [basename(path), kind]),
		[
			['nb-1-big-Data.db', 'other bytes'],
			['nb-2-big-Data.db', 'other size'],
		],
	)
	t.is(objectsOf(result).at(-1)?.['files'], 2)
})

test.serial(
	'what was verified is remembered: --since-last leaves it out, --sample takes what was not verified for longest',
	async (t) => {
		const scene = makeScene(t, { tables: 2 })
		takeSnapshot(scene.node, 'daily')
		await scene.syncWell()
		const counts = async (...flags: string[]) => {
			const { snapshots, notChosen } = objectsOf(await verify(scene, ['--json', ...flags])).at(-1) ?? {}
			return [snapshots, notChosen]
		}
		t.deepEqual(await counts('--quick'), [2, 0])
		t.deepEqual(await counts('--sample', '5%'), [1, 1])
		t.deepEqual(await counts('--quick', '--since-last', '1d'), [1, 1])
		t.deepEqual(await counts('--sample', '5%'), [1, 1])
		t.deepEqual(await counts('--since-last', '1d'), [0, 2])
		t.deepEqual(await counts('--quick', '--since-last', '0ms'), [2, 0])
		flipBit(join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily/nb-1-big-Data.db'))
		rmSync(join(scene.haven, '.snaphaven/verified.json'))
		t.deepEqual(await counts(), [2, 0])
		t.deepEqual(await counts('--quick', '--since-last', '1d'), [1, 1])
	},
)

test.serial('a snapshot in doubt is left out, and damage in it is none', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const [table = ''] = scene.node.folders
	rmSync(join(scene.haven, 'data/ks', table, 'snapshots/daily/nb-1-big-Data.db'))
	const partial = join(scene.haven, '.snaphaven/partial/0123456789abcdef')
	mkdirSync(partial)
	const publications = [{ number: 0, key: { keyspace: 'ks', table, tag: 'daily' }, receiptChecksum: '00000000' }]
	writeFileSync(join(partial, 'group-0.json'), withChecksum(JSON.stringify({ format: 1, publications })))
	const { exitCode, stderr, stdout } = await verify(scene)
	t.is(exitCode, 0, stderr)
	t.regex(stderr, /^left out: ks\/t0000-\w+\/snapshots\/daily: it is being sealed or removed/)
	t.regex(stdout, /^verified 1 snapshot, .*; no damage; 1 left out$/)
})

test.serial('people see what is damaged, which snapshots share it, and where a good copy is', async (t) => {
	const scene = makeScene(t)
	for (const tag of ['one', 'two', 'three']) {
		takeSnapshot(scene.node, tag)
		await scene.syncWell()
	}
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots')
	flipBit(join(folder, 'two/nb-1-big-Data.db'))
	const result = await verify(scene, scene.node.flags)
	t.is(result.exitCode, 3)
	assertNoTrace(t, result)
	const [first, second, third, ...more] = result.stderr.split('\n')
	t.regex(
		first ?? '',
		/^damaged: data\/ks\/t0000-\w+\/snapshots\/\w+\/nb-1-big-Data\.db: its CRC-32 is \w+, its receipt says \w+$/,
	)
	t.regex(second ?? '', /^ {2}also in \w+, \w+, which share it$/)
	t.regex(third ?? '', /^ {2}a good copy on the node: \/\S+\/nb-1-big-Data\.db$/)
	t.deepEqual(more, [])
	t.regex(result.stdout, /^verified 3 snapshots, 22 files read \(\S+ kB\) in \S+; 1 damage, 3 snapshots not good$/)
	chmodSync(folder, 0o755)
})

testWhere(missing, 'what this user may not read is named as unreadable, exit 3', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	execFileSync('chmod', ['-R', 'a+rX', scene.own])
	const folder = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily')
	chmodSync(join(folder, 'nb-1-big-Data.db'), 0o000)
	const result = await verify(scene, ['--json'], { wrapper: asNobody })
	t.is(result.exitCode, 3)
	t.deepEqual(
		damagesOf(result).map(([path, kind]) => [basename(path), kind]),
		[['nb-1-big-Data.db', 'unreadable']],
	)
	t.is((await verify(scene)).exitCode, 0)
})

test.serial('wrong usage is refused by name', async (t) => {
	const scene = makeScene(t)
	for (const [words, message] of [
		[['--sample', '5'], /--sample expects a part such as 5%/],
		[['--sample', '0%'], /--sample expects a part such as 5%/],
		[['--since-last', 'monday'], /--since-last expects a time/],
		[['a.b.c'], /"a\.b\.c" names no keyspace or table/],
	] as const) {
		const result = await verify(scene, [...words])
		t.is(result.exitCode, 2, words.join(' '))
		t.regex(result.stderr, message)
	}
})
