import {
	existsSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { type Glance, glanceAtTables } from '../../src/cassandra/glance.ts'
import { isDue, type SeenTag } from '../../src/cassandra/old-tags.ts'
import { runAsync, runSync } from '../../src/files/io.ts'
import { ownFolder } from '../support/folder.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'

const ID = '-0123456789abcdef0123456789abcdef'

function glance(dataDirectories: string[], wanted: string[] | 'all' = ['ks']): Glance {
	return runSync(glanceAtTables(dataDirectories, wanted))
}

/** The one table's mark. */
function markIn(directory: string): string {
	return glance([directory]).tables[0]?.mark ?? 'no table'
}

test('tables are seen over all data directories, with the youngest change of their tags', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 3, dataDirectories: 2 })
	takeSnapshot(tree, 'tag')
	writeFileSync(join(tree.dataDirectories[0] ?? '', 'ks/file'), 'x')
	const seen = glance(tree.dataDirectories)
	t.deepEqual(seen.tables.map(({ location }) => location.table).sort(), [...tree.folders].sort())
	t.deepEqual(seen.tables[0]?.location.dataDirectories, tree.dataDirectories)
	t.deepEqual([seen.keyspaces, seen.missing, seen.dataDirectories], [['ks'], [], tree.dataDirectories])
	t.true(seen.tables.every(({ changedMs }) => changedMs > Date.now() - 120_000 && changedMs <= Date.now() + 1000))
	t.deepEqual(await runAsync(glanceAtTables(tree.dataDirectories, 'all')), seen)
})

test('a table’s mark tells a tag that appeared, changed, was taken again or cleared, and of nothing else', (t) => {
	const [directory = ''] = makeTree(ownFolder(t), { tables: 1 }).dataDirectories
	const table = join(directory, 'ks', readdirSync(join(directory, 'ks'))[0] ?? '')
	const marks = [markIn(directory)]
	const after = (change: () => void) => {
		change()
		marks.push(markIn(directory))
	}
	after(() => mkdirSync(join(table, 'snapshots/a'), { recursive: true }))
	after(() => mkdirSync(join(table, 'snapshots/b')))
	after(() => utimesSync(join(table, 'snapshots/a'), 1, 1))
	after(() => {
		renameSync(join(table, 'snapshots/a'), join(table, 'old'))
		mkdirSync(join(table, 'snapshots/a'))
		utimesSync(join(table, 'snapshots/a'), 1, 1)
	})
	after(() => rmSync(join(table, 'snapshots/a'), { recursive: true }))
	t.is(new Set(marks).size, marks.length)
	writeFileSync(join(table, 'nb-9-big-Data.db'), 'x')
	writeFileSync(join(table, 'snapshots/file'), 'x')
	t.is(markIn(directory), marks.at(-1) ?? '')
})

/** What a mark stands for, read anew by other means. */
function stateOf(snapshots: string): string {
	const stats = readdirSync(snapshots)
		.sort()
		.map((tag) => ({ tag, stat: lstatSync(join(snapshots, tag), { bigint: true }) }))
	const folders = stats.filter(({ stat }) => stat.isDirectory())
	return folders.map(({ tag, stat }) => `${tag}:${stat.ino}:${stat.mtimeNs}`).join()
}

test('whatever happens to the tags, the mark differs exactly where their folders do', (t) => {
	const root = ownFolder(t)
	const changes = fc.array(
		fc.record({
			act: fc.constantFrom('take', 'clear', 'touch', 'look'),
			tag: fc.constantFrom('a', 'b', 'c d', 'é', 'a%2Fb'),
			second: fc.integer({ min: 1, max: 3 }),
		}),
		{ maxLength: 12 },
	)
	let run = 0
	let second = 10
	const lately = Date.now() / 1000 + 600
	fc.assert(
		fc.property(changes, (steps) => {
			const directory = join(root, `data${run++}`)
			const snapshots = join(directory, `ks/t${ID}/snapshots`)
			mkdirSync(snapshots, { recursive: true })
			const marks = new Map([[stateOf(snapshots), markIn(directory)]])
			for (const step of steps) {
				const path = join(snapshots, step.tag)
				if (step.act === 'take') mkdirSync(path, { recursive: true })
				else if (step.act === 'clear') rmSync(path, { recursive: true, force: true })
				else if (step.act === 'touch' && existsSync(path)) utimesSync(path, lately - step.second, lately - step.second)
				// As if it had last changed long ago, at another time than before: the names are remembered.
				if (step.act !== 'touch') utimesSync(snapshots, second, second++)
				const state = stateOf(snapshots)
				t.is(marks.get(state) ?? markIn(directory), markIn(directory))
				marks.set(state, markIn(directory))
			}
			t.is(new Set(marks.values()).size, marks.size)
		}),
		{ numRuns: 60 },
	)
})

test('a tag of long ago that is taken again is seen at once, and rests when nothing is made or removed beside it', (t) => {
	const [directory = ''] = makeTree(ownFolder(t), { tables: 1 }).dataDirectories
	const table = join(directory, 'ks', readdirSync(join(directory, 'ks'))[0] ?? '')
	const tag = join(table, 'snapshots/tag')
	const asIfOf = (second: number) => {
		utimesSync(tag, second, second)
		utimesSync(join(table, 'snapshots'), second, second)
	}
	mkdirSync(tag, { recursive: true })
	asIfOf(1000)
	const first = markIn(directory)
	utimesSync(tag, 2000, 2000)
	t.is(markIn(directory), first)

	mkdirSync(join(table, 'snapshots/aside'))
	renameSync(tag, join(table, 'snapshots/aside/tag'))
	mkdirSync(tag)
	renameSync(join(table, 'snapshots/aside'), join(table, 'aside'))
	asIfOf(1001)
	t.not(markIn(directory), first)
})

test('a tag that changed lately is glanced at each time; an older one within a minute, spread over the last half', (t) => {
	const minute = 60_000
	const seen = (changedMs: number): SeenTag => ({
		mark: '',
		mtimeNs: BigInt(changedMs) * 1_000_000n,
		seenMs: 10 * minute,
		restMs: 40_000,
	})
	t.true(isDue(undefined, 10 * minute))
	t.true(isDue(seen(9 * minute + 1), 10 * minute))
	t.false(isDue(seen(9 * minute - 1), 10 * minute + 39_999))
	t.true(isDue(seen(9 * minute - 1), 10 * minute + 40_000))
	t.true(isDue(seen(9 * minute - 1), 10 * minute - 1), 'the clock was set back')
	t.true(isDue(seen(11 * minute), 10 * minute + 1), 'of the future')
})

test('what is missing or can’t be read is told, and the rest goes on', (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1, dataDirectories: 2 })
	const [first = '', second = ''] = tree.dataDirectories
	mkdirSync(join(first, 'only'))
	writeFileSync(join(first, 'file'), 'x')
	const gone = glance([first, '/nowhere/data', join(first, 'file'), second], ['ks', 'only', 'file', 'none'])
	t.deepEqual(gone.dataDirectories, [first, second])
	t.deepEqual(gone.keyspaces, ['ks', 'only'])
	t.is(gone.tables.length, 1)
	t.deepEqual(
		gone.missing.map(({ path, reason }) => `${path} ${reason}`).sort(),
		[
			'/nowhere/data does not exist',
			`${first}/file is not a directory`,
			`${first}/file is not a directory`,
			`${first}/none does not exist`,
			`${second}/file does not exist`,
			`${second}/none does not exist`,
			`${second}/only does not exist`,
		].sort(),
	)
	t.deepEqual(glance([first, second], 'all').missing, [{ path: `${second}/only`, reason: 'does not exist' }])
	t.deepEqual(glance(['/nowhere'], 'all').tables, [])
})

test('a keyspace or table that is our own link will do; somebody else’s is not followed', (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2 })
	const [directory = ''] = tree.dataDirectories
	const [table = ''] = tree.folders
	takeSnapshot(tree, 'tag')
	const before = glance([directory]).tables.map(({ mark }) => mark)
	renameSync(join(directory, 'ks'), join(tree.root, 'ks'))
	symlinkSync(join(tree.root, 'ks'), join(directory, 'ks'))
	renameSync(join(tree.root, 'ks', table), join(tree.root, table))
	symlinkSync(join(tree.root, table), join(tree.root, 'ks', table))
	t.deepEqual(
		glance([directory])
			.tables.map(({ mark }) => mark)
			.sort(),
		before.sort(),
	)
	if (process.getuid?.() !== 0) return
	lchownSync(join(tree.root, 'ks', table), 12345, 12345)
	const marks = glance([directory]).tables.map(({ location, mark }) => [location.table === table, mark.split('\0')[2]])
	t.deepEqual(
		marks.filter(([isLink]) => isLink),
		[[true, 'EPERM']],
	)
	lchownSync(join(directory, 'ks'), 12345, 12345)
	t.regex(glance([directory]).missing[0]?.reason ?? '', /symbolic link of user 12345/)
})

test('a table that is dropped goes, one that is made comes', (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2 })
	const [directory = ''] = tree.dataDirectories
	const keyspace = join(directory, 'ks')
	utimesSync(keyspace, 1, 1)
	t.is(glance([directory]).tables.length, 2)
	rmSync(join(keyspace, tree.folders[0] ?? ''), { recursive: true })
	t.is(glance([directory]).tables.length, 1)
	utimesSync(keyspace, 2, 2)
	t.is(glance([directory]).tables.length, 1)
	mkdirSync(join(keyspace, `new${ID}`))
	t.is(glance([directory]).tables.length, 2)
})
