import {
	existsSync,
	linkSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { changesBetween, fingerprint, objectsOf } from '../mirror/support/scene.ts'
import { ownFolder } from '../support/folder.ts'
import {
	copyOf,
	ended,
	filesIn,
	inHaven,
	type Mirrored,
	mirrorFixture,
	onNode,
	restore,
	signalAt,
} from './support/scene.ts'

let mirrored: Mirrored

test.before('a recorded node is mirrored', async () => {
	mirrored = await mirrorFixture('cassandra-5.0-bti')
})

test.after.always(() => {
	if (mirrored !== undefined) rmSync(mirrored.own, { recursive: true, force: true })
})

/** Each restored folder has just the files that the node's snapshot has, to the byte. */
function assertSame(t: ExecutionContext, to: string, keyspace: string, name: string, tag: string): void {
	const expected = onNode(mirrored, keyspace, new RegExp(`^${name}-`), tag)
	const folder = join(to, keyspace, name)
	t.true(expected.size > 0)
	t.deepEqual(filesIn(folder), [...expected.keys()].sort())
	for (const [path, source] of expected) t.true(readFileSync(join(folder, path)).equals(readFileSync(source)), path)
}

const SHOP = ['Items', 'carts', 'empty', 'events', 'orders', 'readings', 'visits']

test.serial(
	'a tag of all keyspaces is restored to the byte, with modes and times, under names that Cassandra’s tools take',
	async (t) => {
		const to = join(ownFolder(t), 'a b')
		const result = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to])
		ended(t, result, 0)
		t.deepEqual(readdirSync(to).sort(), ['.snaphaven-restore', 'audit', 'shop'])
		t.deepEqual(readdirSync(join(to, 'shop')).sort(), SHOP)
		for (const name of SHOP) assertSame(t, to, 'shop', name, 'tuesday')
		assertSame(t, to, 'audit', 'log', 'tuesday')
		for (const [path, source] of onNode(mirrored, 'shop', /^orders-/, 'tuesday')) {
			const [was, is] = [lstatSync(source), lstatSync(join(to, 'shop/orders', path))]
			t.deepEqual([is.mode, Math.round(is.mtimeMs), is.uid, is.nlink], [was.mode, Math.round(was.mtimeMs), was.uid, 1])
		}
		t.regex(result.stdout, /^ {2}nodetool import --copy-data shop orders '\/.*\/a b\/shop\/orders'$/m)
		t.regex(result.stdout, /^ {2}sstableloader -d NODE '\/.*\/a b\/audit\/log'$/m)
		t.regex(result.stdout, /^ {2}cqlsh -f '\/.*\/a b\/shop\/Items\/schema.cql'$/m)
	},
)

test.serial('tables are chosen by globs, and the result is told to machines', async (t) => {
	const to = join(ownFolder(t), 'to')
	const result = await restore(mirrored.haven, ['-t', 'a:b c', '--to', to, '--json', 'shop.[io]*', 'shop.empty'])
	ended(t, result, 0)
	const objects = objectsOf(result)
	const restored = objects.filter(({ type }) => type === 'restored')
	t.deepEqual(restored.map(({ folder }) => String(folder)).sort(), [`${to}/shop/empty`, `${to}/shop/orders`])
	t.like(objects.at(-1), { type: 'summary', exitCode: 0, tables: 2, refused: 0 })
	assertSame(t, to, 'shop', 'orders', 'a:b c')
})

test.serial('a time chooses the newest tag of the keyspace before it, and says which', async (t) => {
	const to = join(ownFolder(t), 'to')
	const list = await restore(mirrored.haven, ['-t', 'monday', '--to', to, '--dry-run', '--json', 'shop.orders'])
	const takenAt = String(objectsOf(list).find(({ type }) => type === 'planned')?.['takenAt'])
	const just = await restore(mirrored.haven, ['--at', takenAt, '--to', to, 'shop.orders'])
	ended(t, just, 0)
	t.regex(just.stdout, /^restored shop\.orders monday, taken /m)
	assertSame(t, to, 'shop', 'orders', 'monday')
	const before = await restore(mirrored.haven, ['--at', '2001-01-01', '--to', to, 'shop.orders'])
	ended(t, before, 1)
	t.regex(before.stderr, /no snapshot taken at or before 2001-/)
})

test.serial('a dry run tells all and writes nothing; neither does a restore write into the haven', async (t) => {
	const own = ownFolder(t)
	const before = fingerprint(mirrored.haven)
	const result = await restore(mirrored.haven, ['--dry-run', '-t', 'tuesday', '--to', join(own, 'to'), 'shop'])
	ended(t, result, 0)
	t.is(result.stdout.match(/^would restore shop\./gm)?.length, SHOP.length)
	t.regex(result.stdout, /^would restore: 7 tables \(322 files, .*\) to .*, where .* are free$/m)
	t.deepEqual(readdirSync(own), [])
	ended(t, await restore(mirrored.haven, ['-t', 'tuesday', '--to', join(own, 'to'), 'shop']), 0)
	t.deepEqual(changesBetween(before, fingerprint(mirrored.haven)), [])
})

test.serial('what is there is never overwritten: all is refused before anything is begun', async (t) => {
	const to = ownFolder(t)
	mkdirSync(join(to, 'shop/orders'), { recursive: true })
	writeFileSync(join(to, 'shop/orders/mine'), 'mine')
	const foreign = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop'])
	ended(t, foreign, 2)
	t.regex(foreign.stderr, /shop\/orders is there already: it was not restored by snaphaven/)
	t.deepEqual(filesIn(to), ['shop/orders/mine'])
	rmSync(join(to, 'shop/orders/mine'))
	ended(t, await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop']), 0)
	const otherTag = await restore(mirrored.haven, ['-t', 'monday', '--to', to, 'shop.orders'])
	ended(t, otherTag, 2)
	t.regex(otherTag.stderr, /it was restored from another snapshot, tuesday/)
	rmSync(join(to, 'shop/orders/schema.cql'))
	const taken = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop'])
	ended(t, taken, 2)
	t.regex(taken.stderr, /its files were taken away or changed since, schema.cql first/)
})

test.serial(
	'a restore that was killed goes on: what was whole is passed over, what was gathered is kept',
	async (t) => {
		const own = ownFolder(t)
		const to = join(own, 'to')
		// Four tables are in flight at a time, so that by then three are there at least.
		const at = { call: 'rename', path: '.snaphaven-partial', nth: SHOP.length, signal: 'SIGKILL' }
		const killed = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop'], { env: signalAt(own, at) })
		t.is(killed.signal, 'SIGKILL')
		const whole = readdirSync(join(to, 'shop')).filter((name) => !name.startsWith('.'))
		t.true(whole.length >= 3 && whole.length < SHOP.length)
		const before = fingerprint(join(to, 'shop', whole[0] ?? ''))
		const again = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop'])
		ended(t, again, 0)
		t.is(again.stdout.match(/^there already shop\./gm)?.length, whole.length)
		t.deepEqual(changesBetween(before, fingerprint(join(to, 'shop', whole[0] ?? ''))), [])
		t.deepEqual(readdirSync(join(to, 'shop')).sort(), SHOP)
		for (const name of SHOP) assertSame(t, to, 'shop', name, 'tuesday')
	},
)

test.serial('what a killed run left torn, or has a name elsewhere, is copied again', async (t) => {
	const own = ownFolder(t)
	const to = join(own, 'to')
	const partial = join(to, 'shop/.orders.snaphaven-partial')
	mkdirSync(join(partial, 'stray'), { recursive: true })
	const [data = ''] = [...onNode(mirrored, 'shop', /^orders-/, 'tuesday').keys()].filter((path) =>
		/^da.*-Data/.test(path),
	)
	const bytes = readFileSync(onNode(mirrored, 'shop', /^orders-/, 'tuesday').get(data) ?? '')
	writeFileSync(join(partial, data), Buffer.alloc(bytes.length))
	const digest = data.replace('Data.db', 'Digest.crc32')
	const mine = join(own, 'mine')
	writeFileSync(mine, readFileSync(onNode(mirrored, 'shop', /^orders-/, 'tuesday').get(digest) ?? ''), { mode: 0o600 })
	utimesSync(mine, 1, 1)
	linkSync(mine, join(partial, digest))
	ended(t, await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop.orders']), 0)
	t.deepEqual(readdirSync(join(to, 'shop')), ['orders'])
	assertSame(t, to, 'shop', 'orders', 'tuesday')
	t.like(lstatSync(mine), { mtimeMs: 1000, nlink: 1 })
})

test.serial('Ctrl-C ends it with nothing half visible', async (t) => {
	const own = ownFolder(t)
	const to = join(own, 'to')
	const at = { call: 'rename', path: '.snaphaven-partial', nth: 1, signal: 'SIGINT' }
	const result = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to], { env: signalAt(own, at) })
	ended(t, result, 1)
	t.regex(result.stderr, /^interrupted: \d tables? restored; run it again to go on$/m)
	for (const name of readdirSync(join(to, 'shop')).filter((one) => !one.startsWith('.')))
		assertSame(t, to, 'shop', name, 'tuesday')
	ended(t, await restore(mirrored.haven, ['-t', 'tuesday', '--to', to]), 0)
})

const DAMAGE: Record<string, { plant: (file: string) => void; told: RegExp }> = {
	'a flipped bit': {
		plant: (file) => {
			const bytes = readFileSync(file)
			bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
			rmSync(file)
			writeFileSync(file, bytes)
		},
		told: /its CRC-32 is [0-9a-f]{8}, and its receipt says [0-9a-f]{8}$/,
	},
	'a file cut short': { plant: (file) => truncateSync(file, 3), told: /it has 3 bytes, and its receipt says \d+$/ },
	'a missing file': { plant: (file) => rmSync(file), told: /it is not there$/ },
	'a link to elsewhere': {
		plant: (file) => {
			rmSync(file)
			symlinkSync('/etc/passwd', file)
		},
		told: /it is a symbolic link$/,
	},
}

for (const [what, { plant, told }] of Object.entries(DAMAGE)) {
	test.serial(`${what} in the haven: the table is refused, the file named, the rest restored`, async (t) => {
		const { haven, to } = copyOf(t, mirrored)
		const folder = inHaven(haven, 'shop', /^carts-/, 'tuesday')
		const [data = ''] = filesIn(folder).filter((path) => path.endsWith('-Data.db'))
		plant(join(folder, data))
		const result = await restore(haven, ['-t', 'tuesday', '--to', to, 'shop'])
		ended(t, result, 3)
		const damaged = result.stderr.split('\n').filter((line) => line.startsWith('damaged:'))
		t.is(damaged.length, 1)
		t.true(damaged[0]?.includes(`/snapshots/tuesday/${data}: `))
		t.regex(damaged[0] ?? '', told)
		t.deepEqual(
			readdirSync(join(to, 'shop')).sort(),
			SHOP.filter((name) => name !== 'carts'),
		)
		assertSame(t, to, 'shop', 'orders', 'tuesday')
	})
}

test.serial('a file that is away for an instant, since a seal of its tag is undone, is no damage', async (t) => {
	const to = join(ownFolder(t), 'to')
	const away = `const fs = process.getBuiltinModule('node:fs')
		const { open } = fs
		let isAway = true
		fs.open = (path, ...rest) => {
			if (!isAway || !String(path).endsWith('-Data.db')) return open(path, ...rest)
			isAway = false
			process.nextTick(rest.at(-1), Object.assign(new Error('ENOENT'), { code: 'ENOENT', errno: -2, syscall: 'open' }))
		}`
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(away)}` }
	ended(t, await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop.orders'], { env }), 0)
	assertSame(t, to, 'shop', 'orders', 'tuesday')
})

test.serial('--accept-damaged leaves out the whole damaged SSTable, and restores the rest of the table', async (t) => {
	const { haven, to } = copyOf(t, mirrored)
	const folder = inHaven(haven, 'shop', /^orders-/, 'tuesday')
	const [data = ''] = filesIn(folder).filter((path) => /^da-[^/]*-Data\.db$/.test(path))
	rmSync(join(folder, data))
	const args = ['-t', 'tuesday', '--to', to, '--accept-damaged', 'shop.orders']
	ended(t, await restore(haven, args), 3)
	const prefix = data.slice(0, -'Data.db'.length)
	const expected = [...onNode(mirrored, 'shop', /^orders-/, 'tuesday').keys()].filter(
		(path) => !path.startsWith(prefix),
	)
	t.deepEqual(filesIn(join(to, 'shop/orders')), expected.sort())
	const again = await restore(haven, args)
	t.regex(again.stdout, /^there already shop\.orders tuesday/m)
})

test.serial('a receipt that does not hold is damage: its table is refused, the rest restored', async (t) => {
	const { haven, to } = copyOf(t, mirrored)
	const table =
		inHaven(haven, 'shop', /^carts-/, 'tuesday')
			.split('/')
			.at(-3) ?? ''
	const receipt = join(haven, '.snaphaven/receipts/shop', table, 'tuesday.json')
	writeFileSync(receipt, readFileSync(receipt, 'utf8').replace('"crc32":"', '"crc32":"0'))
	const result = await restore(haven, ['-t', 'tuesday', '--to', to, 'shop.carts', 'shop.empty'])
	ended(t, result, 3)
	t.regex(result.stderr, /^refused: shop\.carts: its receipt does not count: its checksum does not hold$/m)
	t.deepEqual(readdirSync(join(to, 'shop')), ['empty'])
})

test.serial('--as gives one table another name, without its indexes, which have other names there', async (t) => {
	const to = join(ownFolder(t), 'to')
	const args = ['-t', 'tuesday', '--to', to, '--as', 'other.orders_then']
	const many = await restore(mirrored.haven, [...args, 'shop'])
	ended(t, many, 2)
	t.regex(many.stderr, /--as restores one table, and 7 are chosen/)
	const result = await restore(mirrored.haven, [...args, 'shop.orders'])
	ended(t, result, 0)
	const expected = [...onNode(mirrored, 'shop', /^orders-/, 'tuesday').keys()]
	const found = filesIn(join(to, 'other/orders_then'))
	t.true(expected.some((path) => path.startsWith('.orders_customer/')) && expected.some((path) => /SAI/.test(path)))
	t.deepEqual(found, expected.filter((path) => !/^\.|-SAI\+/.test(path)).sort())
	t.regex(result.stdout, /^ {2}nodetool import --copy-data other orders_then \/.*\/other\/orders_then$/m)
	t.notRegex(result.stdout, /cqlsh/)
	t.regex((await restore(mirrored.haven, [...args, 'shop.orders'])).stdout, /^there already shop\.orders/m)
	t.is((await restore(mirrored.haven, ['-t', 'tuesday', '--offline', '--as', 'a.b', 'shop.orders'])).exitCode, 2)
})

test.serial('--link shares the haven’s files in read-only folders, and warns of import', async (t) => {
	const { haven, to } = copyOf(t, mirrored)
	const before = fingerprint(haven, '%P %y %i %s %m %U %T@')
	const result = await restore(haven, ['-t', 'tuesday', '--to', to, '--link', 'shop.orders'])
	ended(t, result, 0)
	assertSame(t, to, 'shop', 'orders', 'tuesday')
	const folder = inHaven(haven, 'shop', /^orders-/, 'tuesday')
	for (const path of filesIn(folder))
		t.is(lstatSync(join(to, 'shop/orders', path)).ino, lstatSync(join(folder, path)).ino)
	t.is(lstatSync(join(to, 'shop/orders')).mode & 0o777, 0o555)
	t.is(lstatSync(join(to, 'shop/orders/.orders_customer')).mode & 0o777, 0o555)
	t.regex(result.stdout, /Never give them to nodetool import or to a node/)
	t.notRegex(result.stdout, /^ {2}nodetool import/m)
	t.deepEqual(changesBetween(before, fingerprint(haven, '%P %y %i %s %m %U %T@')), [])
})

test.serial('what can’t be restored to is refused before anything is begun', async (t) => {
	const [data = ''] = mirrored.dataDirectories
	const refused = async (to: string, why: RegExp) => {
		const result = await restore(mirrored.haven, ['-t', 'tuesday', '--to', to, 'shop'])
		ended(t, result, 2)
		t.regex(result.stderr, why)
	}
	await refused(join(mirrored.haven, 'data'), /lies inside the haven/)
	await refused(join(data, 'new/folder'), /looks like a data directory of Cassandra/)
	t.false(existsSync(join(data, 'new')))
	const nothing = await restore(mirrored.haven, ['-t', 'thursday', '--to', join(mirrored.own, 'to')])
	ended(t, nothing, 1)
	t.regex(nothing.stderr, /no snapshot with the tag thursday is in the haven\n {2}Their newest tags: tuesday/)
	for (const args of [
		['-t', 'x'],
		['--to', 'x'],
		['-t', 'x', '--at', '1d', '--to', 'x'],
		['--at', 'soon', '--to', 'x'],
	]) {
		t.is((await restore(mirrored.haven, args)).exitCode, 2)
	}
})
