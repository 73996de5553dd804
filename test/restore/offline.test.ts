import { execFileSync, spawn } from 'node:child_process'
import {
	chownSync,
	cpSync,
	existsSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { currentFolder } from '../../src/restore/current-folder.ts'
import { freeNames } from '../../src/restore/free-ids.ts'
import { changesBetween, fingerprint } from '../mirror/support/scene.ts'
import { type CliOptions, type CliResult, nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { serialWhere } from '../support/not-run.ts'
import {
	ended,
	filesIn,
	leftNothing,
	type Mirrored,
	mirrorFixture,
	onNode,
	restore,
	signalAt,
} from './support/scene.ts'

let recorded: Mirrored

test.before('a recorded node is mirrored, whose SSTables have numbers', async () => {
	recorded = await mirrorFixture('cassandra-4.1-nb')
})

test.after.always(() => {
	if (recorded !== undefined) rmSync(recorded.own, { recursive: true, force: true })
})

interface Scene extends Mirrored {
	/** `restore --offline -t tuesday` */
	put: (args: string[], options?: CliOptions) => Promise<CliResult>
}

/** A stopped node of the test's own. */
function stopped(t: ExecutionContext): Scene {
	const own = ownFolder(t)
	execFileSync('cp', ['-a', `${recorded.own}/.`, own])
	const dataDirectories = recorded.dataDirectories.map((path) => path.replace(recorded.own, own))
	const haven = join(own, 'haven')
	const data = dataDirectories.flatMap((path) => ['--data-dir', path])
	const put: Scene['put'] = (args, options) => restore(haven, ['--offline', '-t', 'tuesday', ...data, ...args], options)
	return { own, haven, dataDirectories, state: join(own, 'state'), put }
}

/** The live files of a table, its indexes' too: path within the table's folder → where it is. */
function live({ dataDirectories }: Pick<Mirrored, 'dataDirectories'>, name: string): Map<string, string> {
	const found = new Map<string, string>()
	for (const directory of dataDirectories) {
		if (!existsSync(join(directory, 'shop'))) continue
		for (const folder of readdirSync(join(directory, 'shop')).filter((one) => one.startsWith(`${name}-`))) {
			const place = join(directory, 'shop', folder)
			const files = filesIn(place).filter((path) => !/^(snapshots|backups)\//.test(path))
			for (const path of files) found.set(path, join(place, path))
		}
	}
	return found
}

/** The SSTables' files of a snapshot, which are all but manifest.json and schema.cql. */
function sealed(scene: Mirrored, name: string): Map<string, string> {
	const files = onNode(scene, 'shop', new RegExp(`^${name}-`), 'tuesday')
	return new Map([...files].filter(([path]) => /-big-/.test(path)))
}

function lose(scene: Scene, name: string): void {
	for (const file of live(scene, name).values()) rmSync(file)
}

function assertSame(t: ExecutionContext, found: Map<string, string>, expected: Map<string, string>): void {
	t.true(expected.size > 0)
	t.deepEqual([...found.keys()].sort(), [...expected.keys()].sort())
	for (const [path, file] of found) t.true(readFileSync(file).equals(readFileSync(expected.get(path) ?? '')), path)
}

test.serial(
	'what a table has lost is put into its live folder, indexes too, as the owner of the data directory',
	async (t) => {
		const scene = stopped(t)
		lose(scene, 'orders')
		const result = await scene.put(['shop.orders'])
		ended(t, result, 0)
		t.regex(result.stdout, /^restored shop\.orders tuesday/m)
		assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
		t.true([...live(scene, 'orders').keys()].some((path) => path.startsWith('.orders_customer/')))
		const { uid, gid } = lstatSync(scene.dataDirectories[0] ?? '')
		for (const file of live(scene, 'orders').values()) t.like(lstatSync(file), { uid, gid, nlink: 1 })
		leftNothing(t, scene)
		const again = await scene.put(['shop.orders'])
		ended(t, again, 0)
		t.regex(again.stdout, /^there already shop\.orders tuesday/m)
	},
)

test.serial(
	'beside other SSTables, those whose numbers are taken get new ones, and nothing is overwritten',
	async (t) => {
		const scene = stopped(t)
		lose(scene, 'carts')
		for (const [path, file] of sealed(scene, 'carts')) {
			const directory = dirname(dirname(dirname(file)))
			cpSync(file, join(directory, path))
			utimesSync(join(directory, path), 1, 1)
		}
		const before = live(scene, 'carts')
		ended(t, await scene.put(['shop.carts']), 0)
		const after = live(scene, 'carts')
		const added = [...after].filter(([path]) => !before.has(path))
		for (const file of before.values()) t.is(lstatSync(file).mtimeMs, 1000)
		t.is(added.length, sealed(scene, 'carts').size)
		t.deepEqual(
			added.map(([, file]) => readFileSync(file, 'latin1')).sort(),
			[...sealed(scene, 'carts').values()].map((file) => readFileSync(file, 'latin1')).sort(),
		)
	},
)

test.serial('--replace moves what is there aside, and deletes nothing', async (t) => {
	const scene = stopped(t)
	const before = live(scene, 'orders')
	const bytes = [...before.values()].map((file) => readFileSync(file, 'latin1')).sort()
	const result = await scene.put(['--replace', 'shop.orders'])
	ended(t, result, 0)
	t.regex(
		result.stderr,
		/^set aside: what was live of shop\.orders tuesday is in .*\/\.snaphaven-replaced-\d+T\d+Z now$/m,
	)
	assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
	const aside = scene.dataDirectories.flatMap((directory) =>
		readdirSync(directory)
			.filter((name) => name.startsWith('.snaphaven-replaced-'))
			.flatMap((name) => filesIn(join(directory, name)).map((path) => join(directory, name, path))),
	)
	t.deepEqual(aside.map((file) => readFileSync(file, 'latin1')).sort(), bytes)
})

for (const nth of [1, 12]) {
	test.serial(`a run that was killed at its move ${nth} into the live folder is finished by the next`, async (t) => {
		const scene = stopped(t)
		lose(scene, 'orders')
		const at = { call: 'link', path: '/nb-', nth, signal: 'SIGKILL' }
		const killed = await scene.put(['shop.orders'], { env: signalAt(scene.own, at) })
		t.is(killed.signal, 'SIGKILL')
		ended(t, await scene.put(['shop.carts']), 0)
		assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
		leftNothing(t, scene)
	})
}

/** Which data directories have a file of each SSTable, its table's own or an index's. */
function placesOf({ dataDirectories }: Mirrored, name: string): Map<string, Set<number>> {
	const places = new Map<string, Set<number>>()
	for (const [path, file] of live({ dataDirectories }, name)) {
		const sstable = path.slice(0, path.lastIndexOf('-'))
		const at = dataDirectories.findIndex((directory) => file.startsWith(`${directory}/`))
		places.set(sstable, (places.get(sstable) ?? new Set()).add(at))
	}
	return places
}

/** A second data directory, still empty. */
function withSecond(scene: Scene): { scene: Scene; flags: string[] } {
	const second = join(scene.own, 'second')
	mkdirSync(second)
	return { scene: { ...scene, dataDirectories: [...scene.dataDirectories, second] }, flags: ['--data-dir', second] }
}

test.serial(
	'SSTables are spread over data directories, each whole in one, and the plan tells how many bytes go where',
	async (t) => {
		const { scene, flags } = withSecond(stopped(t))
		lose(scene, 'orders')
		const plan = await scene.put(['--dry-run', ...flags, 'shop.orders'])
		ended(t, plan, 0)
		t.regex(plan.stdout, /^would restore: 1 table .* to (\S+ \(\S+ \S+ of \S+ \S+ free\)(, |$)){3}/m)
		t.deepEqual(readdirSync(join(scene.own, 'second')), [])
		ended(t, await scene.put([...flags, 'shop.orders']), 0)
		assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
		const places = placesOf(scene, 'orders')
		t.true([...places.values()].every((one) => one.size === 1))
		t.true(new Set([...places.values()].flatMap((one) => [...one])).size > 1)
		leftNothing(t, scene)
		const again = await scene.put([...flags, 'shop.orders'])
		t.regex(again.stdout, /^there already shop\.orders tuesday/m)
	},
)

for (const which of ['all data directories', 'the first one alone', 'the last one alone']) {
	test.serial(`a spread run that was killed amid its moves is finished by the next with ${which}`, async (t) => {
		const { scene, flags } = withSecond(stopped(t))
		lose(scene, 'orders')
		const at = { call: 'link', path: '/nb-', nth: 3, signal: 'SIGKILL' }
		const killed = await scene.put([...flags, 'shop.orders'], { env: signalAt(scene.own, at) })
		t.is(killed.signal, 'SIGKILL')
		const all = scene.dataDirectories
		const some = which.startsWith('all') ? all : which.includes('first') ? all.slice(0, 1) : all.slice(-1)
		const next = some.flatMap((path) => ['--data-dir', path])
		await restore(scene.haven, ['--offline', '-t', 'tuesday', ...next, 'shop.carts'])
		assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
		ended(t, await scene.put([...flags, 'shop.carts']), 0)
		assertSame(t, live(scene, 'orders'), sealed(scene, 'orders'))
		leftNothing(t, scene)
	})
}

test.serial('it is refused while a Cassandra has files of a data directory open', async (t) => {
	const scene = stopped(t)
	lose(scene, 'orders')
	const [open = ''] = live(scene, 'visits').values()
	const code = `require('fs').openSync(${JSON.stringify(open)}); process.stdout.write('open'); setInterval(() => {}, 1000)`
	const daemon = spawn(nodeBinary, ['-e', code, 'org.apache.cassandra.service.CassandraDaemon'])
	t.teardown(() => daemon.kill('SIGKILL'))
	await new Promise((resolve) => daemon.stdout.once('data', resolve))
	const result = await scene.put(['shop.orders'])
	ended(t, result, 1)
	t.true(result.stderr.includes(`Cassandra is running on these data directories (process ${daemon.pid})`))
	t.is(live(scene, 'orders').size, 0)
	leftNothing(t, scene)
	const gone = new Promise((resolve) => daemon.once('exit', resolve))
	daemon.kill('SIGKILL')
	await gone
	ended(t, await scene.put(['shop.orders']), 0)
})

/** A user who may write into the data directory. */
const stranger = 54_321

interface Trap {
	what: string
	set: (trap: { data: string; elsewhere: string; orders: string }) => void
	args?: string[]
	message: RegExp
}

const traps: Trap[] = [
	{
		what: 'a note of moves that another user has left',
		set: ({ data, elsewhere }) => {
			const moves = [{ from: join(elsewhere, 'secret'), to: join(data, 'shop/secret') }]
			const note = withChecksum(JSON.stringify({ format: 1, dataDirectories: [data, elsewhere], moves }))
			mkdirSync(join(data, '.snaphaven-restore'))
			writeFileSync(join(data, '.snaphaven-restore/moves.json'), note)
			chownSync(join(data, '.snaphaven-restore/moves.json'), stranger, stranger)
		},
		message: /moves\.json belongs to user 54321, who is neither root nor/,
	},
	{
		what: 'a link in place of the folder that it is staged in',
		set: ({ data, elsewhere }) => symlinkSync(elsewhere, join(data, '.snaphaven-restore')),
		message: /what is in \S+data\S* can’t be worked with: (ELOOP|ENOTDIR)/,
	},
	{
		what: 'another user’s link in place of the table',
		set: ({ elsewhere, orders }) => {
			rmSync(orders, { recursive: true })
			symlinkSync(elsewhere, orders)
			lchownSync(orders, stranger, stranger)
		},
		args: ['--replace'],
		message: /"orders-\w+" is a symbolic link of user 54321/,
	},
]

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root'

for (const { what, set, args = [], message } of traps) {
	serialWhere(notRoot, `${what} is refused, and nothing elsewhere is moved, deleted or given away`, async (t) => {
		const scene = stopped(t)
		const [data = ''] = scene.dataDirectories
		const name = readdirSync(join(data, 'shop')).find((one) => one.startsWith('orders-')) ?? ''
		const elsewhere = join(scene.own, 'elsewhere')
		for (const folder of ['', 'shop', 'shop/orders']) mkdirSync(join(elsewhere, folder))
		for (const file of ['secret', 'shop/secret', 'shop/orders/secret']) writeFileSync(join(elsewhere, file), 'x')
		lose(scene, 'orders')
		set({ data, elsewhere, orders: join(data, 'shop', name) })
		const before = fingerprint(elsewhere)
		const result = await scene.put([...args, 'shop.orders'])
		ended(t, result, 1)
		t.regex(result.stderr, message)
		t.deepEqual(changesBetween(before, fingerprint(elsewhere)), [])
	})
}

test.serial('a table whose folder is not there, or can’t be told from another, is refused', async (t) => {
	const scene = stopped(t)
	const [directory = ''] = scene.dataDirectories
	const folders = scene.dataDirectories.map((path) => join(path, 'shop'))
	for (const folder of folders) {
		for (const name of existsSync(folder) ? readdirSync(folder) : []) {
			if (name.startsWith('carts-')) rmSync(join(folder, name), { recursive: true })
		}
	}
	mkdirSync(join(directory, `shop/empty-${'a'.repeat(32)}`))
	const result = await scene.put(['shop.carts', 'shop.empty'])
	ended(t, result, 1)
	t.regex(result.stderr, /^refused: shop\.carts: the node has no folder of such a table/m)
	t.regex(result.stderr, /^refused: shop\.empty: which folder is the table’s can’t be told/m)
})

test('of the folders of a name, the one in use is the table’s, else the one that was not dropped', (t) => {
	const folder = (name: string, hasSSTables = false, wasDropped = false) => ({ name, hasSSTables, wasDropped })
	t.is(currentFolder([folder('a', false, true)]), 'a')
	t.is(currentFolder([folder('a', true, true), folder('b')]), 'a')
	t.is(currentFolder([folder('a', false, true), folder('b')]), 'b')
	t.is(currentFolder([folder('a', true, true), folder('b', true)]), 'b')
	t.is(currentFolder([folder('a'), folder('b')]), undefined)
	t.is(currentFolder([]), undefined)
})

test('a number that is taken is replaced by a free one in all components alike', (t) => {
	const names = ['nb-7-big-Data.db', 'nb-7-big-SAI+aa+x+Meta.db', 'nb-8-big-Data.db']
	t.deepEqual(
		[...(freeNames(names, new Set(['7', '9'])) ?? [])],
		[
			['nb-7-big-Data.db', 'nb-10-big-Data.db'],
			['nb-7-big-SAI+aa+x+Meta.db', 'nb-10-big-SAI+aa+x+Meta.db'],
			['nb-8-big-Data.db', 'nb-8-big-Data.db'],
		],
	)
	t.is(freeNames(['da-3gyn_0m4c_0ww9c2o4cfkw8gtnk5-bti-Data.db'], new Set(['3gyn_0m4c_0ww9c2o4cfkw8gtnk5'])), undefined)
})
