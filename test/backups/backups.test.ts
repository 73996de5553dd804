import { execFileSync } from 'node:child_process'
import {
	appendFileSync,
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { nodeFolders, removeSSTable } from '../live/support/live-set.ts'
import { changesBetween, fingerprint, makeScene, mirrored, objectsOf, type Scene } from '../mirror/support/scene.ts'
import { testWhere } from '../support/not-run.ts'
import { filesPerSSTable, flushTables, linkBackups, makeTree, takeSnapshot } from '../support/tree.ts'
import { trueBackups } from './support/backups.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'
const BACKUPS = ['--backups']
const PRUNE = [...BACKUPS, '--prune-backups']

/** A node on which both SSTables of a table were linked into `backups/` when they were flushed. */
function makeBackups(t: Parameters<typeof makeScene>[0], options: Parameters<typeof makeScene>[1] = {}): Scene {
	const scene = makeScene(t, options)
	linkBackups(scene.node, 2)
	return scene
}

function onNode({ node }: Scene, directory = 0): string {
	return join(nodeFolders(node, node.folders[0] ?? '')[directory] ?? '', 'backups')
}

function inHaven({ haven, node }: Scene): string {
	return join(haven, 'data', node.keyspace, node.folders[0] ?? '', 'backups')
}

const names = (folder: string) => (existsSync(folder) ? readdirSync(folder, { encoding: 'utf8' }).sort() : [])
const prefixes = (folder: string) => [...new Set(names(folder).map((name) => name.split('-').slice(0, 2).join('-')))]
/** Old enough that nothing is expected to come there any more. */
const settle = (folder: string) => utimesSync(folder, 1e9, 1e9)

test('backups of all data directories arrive with every byte, indexes too, and the node is untouched', async (t) => {
	const scene = makeBackups(t, { tables: 2, dataDirectories: 2 })
	const index = join(onNode(scene), '.by_city')
	mkdirSync(index)
	for (const name of names(onNode(scene)).filter((one) => one.startsWith('nb-')))
		linkSync(join(onNode(scene), name), join(index, name))
	const before = scene.node.dataDirectories.flatMap((path) => fingerprint(path))
	const { stdout } = await scene.syncWell(BACKUPS)
	t.regex(stdout, /^backups ks\.t0000: 3 incremental SSTables; 24 files/m)
	t.regex(stdout, /^done: 5 incremental SSTables came \(40 files/m)
	for (const directory of [0, 1]) {
		for (const name of names(onNode(scene, directory)).filter((one) => one.startsWith('nb-'))) {
			t.deepEqual(readFileSync(join(inHaven(scene), name)), readFileSync(join(onNode(scene, directory), name)))
		}
	}
	t.deepEqual(prefixes(join(inHaven(scene), '.by_city')).length, 1)
	t.is(trueBackups(t, scene).length, 2)
	t.deepEqual(
		scene.node.dataDirectories.flatMap((path) => fingerprint(path)),
		before,
	)
})

test('each turn adds what is new and touches nothing else; what goes from the node stays in the haven', async (t) => {
	const scene = makeBackups(t)
	await scene.syncWell(BACKUPS)
	const before = fingerprint(inHaven(scene), '%P %i %s %T@')
	const again = await scene.syncWell(BACKUPS)
	t.regex(again.stdout, /^done: no snapshot to mirror/m)
	t.deepEqual(fingerprint(inHaven(scene), '%P %i %s %T@'), before)
	flushTables(scene.node)
	linkBackups(scene.node)
	removeSSTable(onNode(scene), 'nb-1-')
	const { stdout } = await scene.syncWell([...BACKUPS, '--json'])
	t.like(objectsOf({ stdout } as never)[0], { type: 'backups', sstables: 1, files: 8 })
	t.deepEqual(prefixes(inHaven(scene)), ['nb-1', 'nb-2', 'nb-3'])
	t.deepEqual(
		trueBackups(t, scene).map(({ files }) => files.length),
		[16, 8],
	)
	t.deepEqual(
		changesBetween(before, fingerprint(inHaven(scene), '%P %i %s %T@')).filter((line) => /^was nb/.test(line)),
		[],
	)
	rmSync(onNode(scene), { recursive: true })
	await scene.syncWell(BACKUPS)
	renameSync(nodeFolders(scene.node, scene.node.folders[0] ?? '')[0] ?? '', `${scene.own}/away`)
	await scene.syncWell(BACKUPS)
	t.deepEqual(prefixes(inHaven(scene)), ['nb-1', 'nb-2', 'nb-3'])
	t.is(trueBackups(t, scene).length, 2)
})

test('backups, live set and snapshots share their files, whichever comes first', async (t) => {
	const scene = makeBackups(t)
	const inode = (folder: string, name = 'nb-1-big-Data.db') => statSync(join(folder, name)).ino
	const live = () => join(inHaven(scene), '..')
	await scene.syncWell([...BACKUPS, '--sync-sstables'])
	t.is(inode(inHaven(scene)), inode(live()))
	t.is(inode(inHaven(scene), 'nb-1-big-Statistics.db'), inode(live(), 'nb-1-big-Statistics.db'))
	takeSnapshot(scene.node, 'daily')
	rmSync(live(), { recursive: true })
	rmSync(join(scene.haven, '.snaphaven/live'), { recursive: true })
	rmSync(join(scene.haven, '.snaphaven/backups'), { recursive: true })
	await scene.syncWell()
	await scene.syncWell(BACKUPS)
	t.is(inode(inHaven(scene)), inode(mirrored(scene, 'daily')))
	flushTables(scene.node)
	await scene.syncWell(['--sync-sstables'])
	linkBackups(scene.node)
	await scene.syncWell(BACKUPS)
	t.is(inode(inHaven(scene), 'nb-3-big-Data.db'), inode(live(), 'nb-3-big-Data.db'))
	t.not(inode(inHaven(scene), 'nb-3-big-Statistics.db'), inode(live(), 'nb-3-big-Statistics.db'))
	const flushed = join(nodeFolders(scene.node, scene.node.folders[0] ?? '')[0] ?? '', 'snapshots/next')
	flushTables(scene.node)
	linkBackups(scene.node)
	await scene.syncWell(BACKUPS)
	takeSnapshot(scene.node, 'next')
	await scene.syncWell()
	t.true(existsSync(flushed))
	t.is(inode(mirrored(scene, 'next'), 'nb-4-big-Statistics.db'), inode(inHaven(scene), 'nb-4-big-Statistics.db'))
	t.is(trueBackups(t, scene).length, 3)
})

test('an SSTable counts when all is there that its TOC.txt names; what stays incomplete is told', async (t) => {
	const scene = makeBackups(t)
	const [table, backups] = [join(onNode(scene), '..'), onNode(scene)]
	rmSync(join(backups, 'nb-1-big-Summary.db'))
	rmSync(join(backups, 'nb-2-big-TOC.txt'))
	settle(backups)
	const first = await scene.sync(BACKUPS)
	t.is(first.exitCode, 3)
	t.regex(first.stderr, /in backups\/, the SSTable nb-1-big can’t be loaded: it has no Summary\.db/)
	t.regex(first.stderr, /nb-2-big can’t be loaded: it has no TOC\.txt/)
	t.deepEqual(names(inHaven(scene)), [])
	linkSync(join(table, 'nb-1-big-Summary.db'), join(backups, 'nb-1-big-Summary.db'))
	appendFileSync(join(backups, 'nb-1-big-TOC.txt'), 'SAI+aa+i+Meta.db\n')
	settle(backups)
	await scene.sync(BACKUPS)
	t.is(names(inHaven(scene)).length, filesPerSSTable)
	t.is(trueBackups(t, scene).length, 1)
})

test('damage on the node is sealed as damaged, told with exit code 3, and never pruned', async (t) => {
	const scene = makeBackups(t)
	rmSync(join(onNode(scene), 'nb-1-big-Digest.crc32'))
	writeFileSync(join(onNode(scene), 'nb-1-big-Digest.crc32'), '12345')
	const { exitCode, stderr, stdout } = await scene.sync(PRUNE)
	t.is(exitCode, 3)
	t.regex(stderr, /^damaged: .*in backups\/, nb-1-big-Data\.db: its CRC-32 is/m)
	t.regex(stderr, /^kept on the node: .*nb-1-big: it is damaged, and the node may have the only better copy/m)
	t.regex(stdout, /^pruned ks\.t0000: 1 incremental SSTable \(8 files/m)
	t.deepEqual(prefixes(onNode(scene)), ['nb-1'])
	t.deepEqual(
		trueBackups(t, scene).map(({ state }) => state),
		['damaged'],
	)
})

test('a name that Cassandra gives again leaves what the haven has of that name', async (t) => {
	const scene = makeBackups(t)
	await scene.syncWell(PRUNE)
	t.deepEqual(names(onNode(scene)), [])
	const before = readFileSync(join(inHaven(scene), 'nb-1-big-Data.db'))
	const other = makeTree(join(scene.own, 'other'), { tables: 1, seed: 1, dataBytes: 5000 })
	const table = nodeFolders(scene.node, scene.node.folders[0] ?? '')[0] ?? ''
	for (const name of names(table).filter((one) => one.startsWith('nb-1-'))) {
		rmSync(join(table, name))
		linkSync(join(nodeFolders(other, other.folders[0] ?? '')[0] ?? '', name), join(table, name))
		linkSync(join(table, name), join(onNode(scene), name))
	}
	await scene.syncWell(BACKUPS)
	t.deepEqual(readFileSync(join(inHaven(scene), 'nb-1-big-Data.db')), before)
	const apart = names(inHaven(scene)).find((name) => !name.startsWith('nb-')) ?? ''
	const data = join(inHaven(scene), apart, 'nb-1-big-Data.db')
	t.deepEqual(readFileSync(data), readFileSync(join(onNode(scene), 'nb-1-big-Data.db')))
	t.is(trueBackups(t, scene).length, 2)
	await scene.syncWell(PRUNE)
	t.deepEqual(names(onNode(scene)), [])
	t.is(trueBackups(t, scene).length, 2)
	const { stdout } = await scene.syncWell([...BACKUPS, '--dry-run'])
	t.regex(stdout, /^plan: nothing to do/m)
})

test('a file that no receipt knows is set aside where it is in the way', async (t) => {
	const scene = makeBackups(t)
	mkdirSync(inHaven(scene), { recursive: true })
	writeFileSync(join(inHaven(scene), 'nb-1-big-Data.db'), 'an older tool’s')
	const { stderr } = await scene.syncWell(BACKUPS)
	const [, place = ''] = /they are now in (\S+)/.exec(stderr) ?? []
	t.is(readFileSync(join(scene.haven, place, 'nb-1-big-Data.db'), 'utf8'), 'an older tool’s')
	t.is(trueBackups(t, scene).length, 1)
})

test('pruning deletes on the node the very files that are sealed, after their time, and nothing else', async (t) => {
	const scene = makeBackups(t, { sstables: 4 })
	const table = nodeFolders(scene.node, scene.node.folders[0] ?? '')[0] ?? ''
	const later = [...PRUNE, '--prune-backups-after', '1h']
	await scene.syncWell(later)
	t.deepEqual(prefixes(onNode(scene)), ['nb-3', 'nb-4'])
	const dry = await scene.syncWell([...PRUNE, '--dry-run'])
	t.regex(dry.stdout, /^would prune ks\.t0000: 2 incremental SSTables/m)
	t.regex(dry.stdout, /2 incremental SSTables to delete on the node/)
	t.deepEqual(prefixes(onNode(scene)), ['nb-3', 'nb-4'])
	flushTables(scene.node, 3)
	linkBackups(scene.node, 3)
	await scene.syncWell(BACKUPS)
	// Another inode, a file that was not sealed, and a copy that the haven has lost.
	const statistics = join(onNode(scene), 'nb-4-big-Statistics.db')
	const bytes = readFileSync(statistics)
	rmSync(statistics)
	writeFileSync(statistics, bytes)
	writeFileSync(join(onNode(scene), 'nb-5-big-SAI+aa+i+Meta.db'), 'an index')
	rmSync(join(inHaven(scene), 'nb-6-big-Index.db'))
	const before = fingerprint(table, '%P %i %s').filter((line) => !line.startsWith('backups'))
	const { stdout, stderr } = await scene.syncWell(PRUNE)
	t.regex(stdout, / 2 incremental SSTables gone from the node/)
	t.deepEqual(prefixes(onNode(scene)), ['nb-4', 'nb-5', 'nb-6'])
	t.regex(stderr, /nb-4-big: nb-4-big-Statistics\.db is not the file that was copied/)
	t.regex(stderr, /nb-5-big: nb-5-big-SAI\+aa\+i\+Meta\.db is not in the receipt/)
	t.regex(stderr, /nb-6-big: the haven has lost nb-6-big-Index\.db/)
	t.deepEqual(
		fingerprint(table, '%P %i %s').filter((line) => !line.startsWith('backups')),
		before,
	)
})

test('what a pruning that was stopped has left of an SSTable is no damage, and goes with the next', async (t) => {
	const scene = makeBackups(t)
	await scene.syncWell(BACKUPS)
	for (const name of names(onNode(scene))) if (!name.endsWith('-Data.db')) rmSync(join(onNode(scene), name))
	settle(onNode(scene))
	const { stderr } = await scene.syncWell(PRUNE)
	t.notRegex(stderr, /damaged/)
	t.deepEqual(names(onNode(scene)), [])
	t.is(trueBackups(t, scene).length, 1)
})

test('backups come again after their receipt was damaged, and nothing is pruned by it', async (t) => {
	const scene = makeBackups(t)
	await scene.syncWell(BACKUPS)
	const folder = join(scene.haven, '.snaphaven/backups/ks', scene.node.folders[0] ?? '')
	const receipt = join(folder, names(folder)[0] ?? '')
	writeFileSync(receipt, readFileSync(receipt, 'utf8').replace('nb-1-big', 'nb-7-big'))
	await scene.syncWell([...PRUNE, '--prune-backups-after', '1d'])
	rmSync(receipt)
	t.is(trueBackups(t, scene).length, 1)
	t.deepEqual(prefixes(onNode(scene)), ['nb-1', 'nb-2'])
})

testWhere(notRoot, 'what is mounted into backups/ is never deleted: the table’s own live SSTables', async (t) => {
	const scene = makeBackups(t)
	await scene.syncWell(BACKUPS)
	const table = nodeFolders(scene.node, scene.node.folders[0] ?? '')[0] ?? ''
	execFileSync('mount', ['--bind', table, onNode(scene)])
	t.teardown(() => execFileSync('umount', ['--lazy', onNode(scene)]))
	const before = names(table)
	const { stderr, exitCode } = await scene.sync(PRUNE)
	t.is(exitCode, 1)
	t.regex(stderr, /is mounted from elsewhere: unmount it/)
	t.deepEqual(names(table), before)
})
