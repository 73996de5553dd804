import fs, { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { findTables, tableName } from '../../src/cassandra/find-tables.ts'
import { runSync } from '../../src/files/io.ts'
import { ownFolder } from '../support/folder.ts'

const ID = '-0123456789abcdef0123456789abcdef'

/** Data directories with these folders. */
function makeDirectories(t: ExecutionContext, ...folders: string[][]): string[] {
	const own = ownFolder(t)
	return folders.map((paths, at) => {
		for (const path of ['', ...paths]) mkdirSync(join(own, `data${at}`, path), { recursive: true })
		return join(own, `data${at}`)
	})
}

function find(dataDirectories: string[], wanted: string[] | 'all') {
	return runSync(findTables(dataDirectories, wanted))
}

test('tables are found over all data directories, a dropped and a re-made one both', (t) => {
	const again = '-ffffffffffffffffffffffffffffffff'
	const directories = makeDirectories(
		t,
		[`ks/orders${ID}`, `ks/Items${ID}`, `other/orders${ID}`],
		[`ks/orders${ID}`, `ks/orders${again}`, 'ks/old'],
	)
	writeFileSync(join(directories[0] ?? '', 'ks/file'), 'x')
	const { tables, troubles } = find(directories, ['ks'])
	t.deepEqual(
		tables.map(({ table, dataDirectories }) => `${table} ${dataDirectories.length}`),
		[`Items${ID} 1`, 'old 1', `orders${ID} 2`, `orders${again} 1`],
	)
	t.deepEqual(troubles, [])
	t.deepEqual([`Items${ID}`, `orders${again}`, 'old', 'a-b'].map(tableName), ['Items', 'orders', 'old', 'a-b'])
})

test('all keyspaces are all but Cassandra’s own', (t) => {
	const directories = makeDirectories(
		t,
		[`system/local${ID}`, `system_auth/roles${ID}`, `ks/a${ID}`, '.Trash/x', 'not a keyspace/y'],
		[`Ks2/a${ID}`, `system_schema/types${ID}`],
	)
	t.deepEqual(find(directories, 'all').keyspaces, ['Ks2', 'ks'])
	t.deepEqual(find(directories, ['system_auth']).keyspaces, ['system_auth'])
})

test('a keyspace that is not there is refused with those that are', (t) => {
	const directories = makeDirectories(t, [`shop/a${ID}`, `system/b${ID}`], [`stock/a${ID}`])
	const error = t.throws(() => find(directories, ['shop', 'shopp']), {
		message: /no keyspace "shopp" in .*data0, .*data1/,
	})
	t.like(error, { exitCode: 2, hint: 'These keyspaces are there: shop, stock, system.' })
})

test('where there is no keyspace at all, a disk that is not mounted is suspected, also for all keyspaces', (t) => {
	const [empty = ''] = makeDirectories(t, [])
	for (const wanted of [['ks'], 'all'] as const) {
		const error = t.throws(() => find([empty], wanted as string[] | 'all'))
		t.like(error, { exitCode: 2 })
		t.regex(String((error as { hint?: string }).hint), /Not even Cassandra’s own are there: does -d name/)
	}
})

test('a data directory that is not there, or a file, is refused by name', (t) => {
	const [directory = ''] = makeDirectories(t, [`ks/a${ID}`])
	writeFileSync(join(directory, 'file'), 'x')
	t.throws(() => find([directory, '/nowhere/data'], ['ks']), {
		message: 'the data directory /nowhere/data does not exist',
	})
	t.throws(() => find([join(directory, 'file')], ['ks']), { message: /file is not a directory$/ })
})

test('a data directory whose disk fails is no wrong usage', (t) => {
	const [directory = ''] = makeDirectories(t, [`ks/a${ID}`])
	const { readdirSync } = fs
	fs.readdirSync = () => {
		throw Object.assign(new Error('EIO: i/o error, scandir'), { code: 'EIO' })
	}
	try {
		t.like(
			t.throws(() => find([directory], ['ks'])),
			{ exitCode: 1, message: `can’t read the data directory ${directory}: EIO: i/o error, scandir` },
		)
	} finally {
		fs.readdirSync = readdirSync
	}
})

test('a data directory that can’t be closed is told by name as well', (t) => {
	const [directory = ''] = makeDirectories(t, [`ks/a${ID}`])
	const work = findTables([directory], ['ks'])
	let closed = 0
	const run = () => {
		for (let next = work.next(); !next.done; ) {
			const step = next.value
			if (!('sync' in step)) throw new Error('unexpected step')
			const value = step.sync(...(step.args as never[]))
			if (step.sync === fs.closeSync) closed += 1
			// The keyspace's folder is closed first.
			const fails = step.sync === fs.closeSync && closed === 2
			next = fails ? work.throw(Object.assign(new Error('EIO: i/o error, close'), { code: 'EIO' })) : work.next(value)
		}
	}
	t.like(t.throws(run), {
		exitCode: 1,
		message: `can’t read the data directory ${directory}: EIO: i/o error, close`,
	})
})

test('a data directory or keyspace that is a link will do', (t) => {
	const [directory = ''] = makeDirectories(t, [`ks/a${ID}`])
	renameSync(join(directory, 'ks'), join(directory, '.real'))
	symlinkSync('.real', join(directory, 'ks'))
	symlinkSync(directory, `${directory}-link`)
	t.is(find([`${directory}-link`], ['ks']).tables.length, 1)
})
