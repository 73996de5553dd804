import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { lineOf, textOf } from '../cassandra-files/support/transaction-logs.ts'
import {
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from '../mirror/support/scene.ts'
import { flushTables, removeLive, takeSnapshot } from '../support/tree.ts'
import { assertLive, liveFolder, nodeFolders, removeSSTable, trueLive } from './support/live-set.ts'

const LIVE = ['--sync-sstables']

function tableOf({ node }: Scene, directory = 0): string {
	return nodeFolders(node, node.folders[0] ?? '')[directory] ?? ''
}

test('the live SSTables of all data directories arrive with every byte, and the node is untouched', async (t) => {
	const scene = makeScene(t, { tables: 2, dataDirectories: 2, sstables: 3 })
	const index = join(tableOf(scene), '.by_city')
	mkdirSync(index)
	for (const component of ['Data.db', 'Index.db', 'Statistics.db'])
		writeFileSync(join(index, `nb-1-big-${component}`), component)
	const before = scene.node.dataDirectories.flatMap((path) => fingerprint(path))
	const { stdout } = await scene.syncWell(LIVE)
	t.is(stdout.match(/^live /gm)?.length, 2)
	t.is(assertLive(t, scene), 2 * 3 * 8 + 3)
	t.deepEqual(
		scene.node.dataDirectories.flatMap((path) => fingerprint(path)),
		before,
	)
	t.is(trueLive(t, scene).length, 2)
})

test('a pass over live SSTables that have not changed writes nothing', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	await scene.syncWell(LIVE)
	const before = fingerprint(join(scene.haven, 'data')).concat(fingerprint(join(scene.haven, '.snaphaven/live')))
	const { stdout } = await scene.syncWell(LIVE)
	t.regex(stdout, /the live SSTables of 2 tables already safe/)
	t.deepEqual(
		changesBetween(
			before,
			fingerprint(join(scene.haven, 'data')).concat(fingerprint(join(scene.haven, '.snaphaven/live'))),
		),
		[],
	)
})

test('what is compacted away goes from the haven, and with --keep-deleted it is kept aside', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell(LIVE)
	flushTables(scene.node)
	removeSSTable(tableOf(scene), 'nb-1-big-')
	const { stdout } = await scene.syncWell([...LIVE, '--json'])
	t.like(objectsOf({ stdout } as never).at(0), { type: 'live', sstables: 2, added: 1, removed: 1 })
	assertLive(t, scene)
	t.false(existsSync(join(scene.haven, '.snaphaven/deleted')))
	const data = readFileSync(join(tableOf(scene), 'nb-2-big-Data.db'))
	removeSSTable(tableOf(scene), 'nb-2-big-')
	await scene.syncWell([...LIVE, '--keep-deleted', '2'])
	assertLive(t, scene)
	const kept = join(scene.haven, '.snaphaven/deleted')
	const paths = readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter((path) => /nb-2-big-/.test(path))
	t.is(paths.length, 8)
	t.deepEqual(readFileSync(join(kept, paths.find((path) => path.endsWith('Data.db')) ?? '')), data)
	const [day = ''] = readdirSync(kept)
	renameSync(join(kept, day), join(kept, '2020-01-01'))
	await scene.syncWell([...LIVE, '--keep-deleted', '2'])
	t.deepEqual(readdirSync(kept), [])
})

test('what a transaction log calls temporary or obsolete never comes, and incomplete SSTables are told', async (t) => {
	const scene = makeScene(t, { sstables: 4 })
	const table = tableOf(scene)
	const add = { type: 'ADD' as const, path: join(table, 'nb-2-big-'), files: 8 }
	const time = Math.max(
		...readdirSync(table)
			.filter((name) => name.startsWith('nb-3-') && !name.includes('Statistics'))
			.map((name) => Math.floor(statSync(join(table, name)).mtimeMs)),
	)
	const remove = { type: 'REMOVE' as const, path: join(table, 'nb-3-big-'), time, files: 8 }
	writeFileSync(join(table, 'nb_txn_flush_00000001-e58a-11f1-ba75-8140cf8cdd6e.log'), `${lineOf(add)}\n`)
	writeFileSync(
		join(table, 'nb_txn_compaction_00000002-e58a-11f1-ba75-8140cf8cdd6e.log'),
		textOf([{ ...add, path: join(table, 'nb-4-big-') }, remove, { type: 'COMMIT' }]),
	)
	const first = await scene.syncWell(LIVE)
	t.regex(first.stdout, /2 live SSTables, 2 new/)
	t.deepEqual(prefixesIn(liveFolder(scene)), ['nb-1-big', 'nb-4-big'])
	rmSync(join(table, 'nb-1-big-Index.db'))
	const second = await scene.sync(LIVE)
	t.is(second.exitCode, 3)
	t.regex(second.stderr, /nb-1-big can’t be loaded: it has no Index\.db/)
	t.true(existsSync(join(liveFolder(scene), 'nb-1-big-Index.db')))
})

function prefixesIn(folder: string): string[] {
	const names = readdirSync(folder).filter((name) => name.startsWith('nb-'))
	return [...new Set(names.map((name) => name.slice(0, name.lastIndexOf('-'))))].sort()
}

test('what Cassandra writes anew or into is followed, and a snapshot that shared it keeps its bytes', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell(LIVE)
	const snapshot = mirrored(scene, 'daily')
	const before = fingerprint(snapshot, '%P %i %s %T@')
	const table = tableOf(scene)
	t.is(
		statSync(join(snapshot, 'nb-1-big-Statistics.db')).ino,
		statSync(join(liveFolder(scene), 'nb-1-big-Statistics.db')).ino,
	)
	rmSync(join(table, 'nb-1-big-Statistics.db'))
	writeFileSync(join(table, 'nb-1-big-Statistics.db'), 'rewritten')
	appendFileSync(join(table, 'nb-2-big-TOC.txt'), 'SAI+aa+i+Meta.db\n')
	writeFileSync(join(table, 'nb-2-big-SAI+aa+i+Meta.db'), 'an index')
	await scene.syncWell(LIVE)
	assertLive(t, scene)
	t.deepEqual(fingerprint(snapshot, '%P %i %s %T@'), before)
	rmSync(join(table, 'nb-2-big-SAI+aa+i+Meta.db'))
	await scene.syncWell(LIVE)
	assertLive(t, scene)
	t.is(trueReceipts(t, scene).length, 1)
})

test('a snapshot shares the SSTables of the live set, but for what Cassandra may rewrite', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell(LIVE)
	takeSnapshot(scene.node, 'daily')
	const { stdout } = await scene.syncWell(LIVE)
	t.regex(stdout, /^sealed ks\.t0000 daily: .*8 reused/m)
	const isShared = (name: string) =>
		statSync(join(mirrored(scene, 'daily'), name)).ino === statSync(join(liveFolder(scene), name)).ino
	t.true(isShared('nb-1-big-Data.db'))
	t.false(isShared('nb-1-big-Statistics.db'))
	removeLive(scene.node)
	await scene.syncWell(LIVE)
	t.is(trueReceipts(t, scene).length, 1)
})

test('an empty table is a set like any other, after a truncation; a dropped table’s copy stays', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	await scene.syncWell(LIVE)
	const [truncated = '', dropped = ''] = scene.node.folders
	for (const folder of nodeFolders(scene.node, dropped))
		mkdirSync(join(folder, 'snapshots/dropped-1795240454120-t'), { recursive: true })
	removeLive(scene.node)
	await scene.syncWell([...LIVE, '--snapshot-regex', 'none'])
	t.deepEqual(prefixesIn(liveFolder(scene, truncated)), [])
	t.deepEqual(prefixesIn(liveFolder(scene, dropped)), ['nb-1-big', 'nb-2-big'])
	t.is(trueLive(t, scene).length, 2)
})

test('a data directory that vanished, or is another one, takes nothing from the haven', async (t) => {
	const scene = makeScene(t, { dataDirectories: 2, sstables: 4 })
	await scene.syncWell(LIVE)
	const before = fingerprint(join(scene.haven, 'data'))
	const table = tableOf(scene, 1)
	renameSync(table, `${scene.own}/away`)
	const vanished = await scene.sync(LIVE)
	t.is(vanished.exitCode, 1)
	t.regex(
		vanished.stderr,
		/the haven keeps its set, since .*data2, where a part of it came from, has no folder of the table any more/,
	)
	t.deepEqual(changesBetween(before, fingerprint(join(scene.haven, 'data'))), [])
	mkdirSync(table)
	const another = await scene.sync(LIVE)
	t.is(another.exitCode, 1)
	t.regex(another.stderr, /the folder of the table in .*data2 is another one/)
	t.deepEqual(changesBetween(before, fingerprint(join(scene.haven, 'data'))), [])
	await scene.syncWell([...LIVE, '--take-over'])
	assertLive(t, scene)
	rmSync(table, { recursive: true })
	rmSync(tableOf(scene), { recursive: true })
	await scene.syncWell(LIVE)
	t.is(trueLive(t, scene).length, 1)
})

test('an SSTable that is another one under the same name takes its place whole', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell(LIVE)
	const table = tableOf(scene)
	const toc = readFileSync(join(table, 'nb-2-big-TOC.txt'))
	removeSSTable(table, 'nb-1-big-')
	for (const component of ['Data.db', 'Index.db', 'Statistics.db'])
		writeFileSync(join(table, `nb-1-big-${component}`), `other ${component}`)
	writeFileSync(join(table, 'nb-1-big-TOC.txt'), toc.toString().replace('CompressionInfo.db\n', ''))
	const { stdout } = await scene.syncWell(LIVE)
	t.regex(stdout, /2 live SSTables, 1 new, 1 gone/)
	assertLive(t, scene)
})

test('a file that no receipt knows is set aside where it is in the way, and left alone where it is not', async (t) => {
	const scene = makeScene(t)
	mkdirSync(liveFolder(scene), { recursive: true })
	writeFileSync(join(liveFolder(scene), 'nb-1-big-Data.db'), 'an older tool’s')
	writeFileSync(join(liveFolder(scene), 'nb-0-big-Data.db'), 'an older tool’s, too')
	const { stderr } = await scene.syncWell(LIVE)
	const [, place = ''] = /they are now in (\S+)/.exec(stderr) ?? []
	t.is(readFileSync(join(scene.haven, place, 'nb-1-big-Data.db'), 'utf8'), 'an older tool’s')
	t.is(readFileSync(join(liveFolder(scene), 'nb-0-big-Data.db'), 'utf8'), 'an older tool’s, too')
	rmSync(join(liveFolder(scene), 'nb-0-big-Data.db'))
	assertLive(t, scene)
})

test('damage on the node is sealed as damaged, named, and ends with 3 each time', async (t) => {
	const scene = makeScene(t)
	writeFileSync(join(tableOf(scene), 'nb-1-big-Digest.crc32'), '12345')
	for (const { exitCode, stderr } of [await scene.sync(LIVE), await scene.sync(LIVE)]) {
		t.is(exitCode, 3)
		t.regex(stderr, /^damaged: .*ks\/t0000/m)
	}
	assertLive(t, scene)
	t.deepEqual(
		trueLive(t, scene).map(({ state }) => state),
		['damaged'],
	)
})

test('a dry run says what would come and go, and touches nothing', async (t) => {
	const scene = makeScene(t)
	const first = await scene.syncWell([...LIVE, '--dry-run'])
	t.regex(first.stdout, /^planned ks\.t0000: 2 live SSTables, 2 new; 16 files/m)
	t.regex(first.stdout, /plan: no snapshot to seal, live SSTables of 1 table \(16 files/)
	t.false(existsSync(scene.haven))
	await scene.syncWell(LIVE)
	const before = fingerprint(scene.haven)
	removeSSTable(tableOf(scene), 'nb-1-big-')
	const second = await scene.syncWell([...LIVE, '--dry-run'])
	t.regex(second.stdout, /1 live SSTable, 1 gone/)
	t.deepEqual(changesBetween(before, fingerprint(scene.haven)), [])
})

test('live SSTables come again after the receipt was damaged', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell(LIVE)
	const receipt = join(scene.haven, '.snaphaven/live/ks', `${scene.node.folders[0]}.json`)
	writeFileSync(receipt, readFileSync(receipt, 'utf8').replace('nb-1-big', 'nb-7-big'))
	await scene.syncWell(LIVE)
	assertLive(t, scene)
	t.is(trueLive(t, scene).length, 1)
})

test('with --hardlink the node’s own SSTables are shared, but for what Cassandra rewrites', async (t) => {
	const scene = makeScene(t)
	await scene.syncWell([...LIVE, '--hardlink'])
	const inode = (folder: string, name: string) => statSync(join(folder, name)).ino
	const [own, copy] = [tableOf(scene), liveFolder(scene)]
	t.is(inode(own, 'nb-1-big-Data.db'), inode(copy, 'nb-1-big-Data.db'))
	for (const name of ['Statistics.db', 'TOC.txt', 'Filter.db', 'Summary.db']) {
		t.not(inode(own, `nb-1-big-${name}`), inode(copy, `nb-1-big-${name}`))
	}
})

test('what contradicts itself is refused', async (t) => {
	const scene = makeScene(t)
	for (const [flags, words] of [
		[['--keep-deleted', '3'], /--sync-sstables .* is not given/],
		[[...LIVE, '--keep-deleted', 'x'], /expects a number of days/],
	] as const) {
		const { exitCode, stderr } = await scene.sync([...flags])
		t.is(exitCode, 2)
		t.regex(stderr, words)
	}
})
