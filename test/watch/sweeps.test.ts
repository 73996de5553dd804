import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ownFolder } from '../support/folder.ts'
import { clearSnapshot, makeTree, takeSnapshot } from '../support/tree.ts'
import { until, watchFolders } from './support/watching.ts'

const ID = '-0123456789abcdef0123456789abcdef'

test('without hints, sweeps find tags that are taken and cleared, and tables and keyspaces that are made', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 3, dataDirectories: 2 })
	const [directory = ''] = tree.dataDirectories
	const [, second = ''] = tree.folders
	const { looks } = watchFolders(t, tree.dataDirectories, { hints: false })
	await until('every table is looked at once', () => looks.length >= 3)
	t.deepEqual(looks.splice(0).sort(), [...tree.folders].sort())

	takeSnapshot(tree, 'tag', { folders: [second] })
	await until('its table is looked at', () => looks.includes(second))
	t.deepEqual([...new Set(looks.splice(0))], [second])

	mkdirSync(join(directory, tree.keyspace, `made${ID}`))
	await until('the new table is looked at', () => looks.includes(`made${ID}`))
	mkdirSync(join(directory, `other/there${ID}`), { recursive: true })
	await until('the new keyspace’s table is looked at', () => looks.includes(`there${ID}`))

	looks.length = 0
	clearSnapshot(tree, 'tag')
	await until('the cleared tag’s table is looked at', () => looks.includes(second))
})

test('what changed just before a sweep is looked at again by the next, though its mark is the same', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	takeSnapshot(tree, 'tag')
	const { looks } = watchFolders(t, tree.dataDirectories, { hints: false })
	await until('it is looked at twice', () => looks.length >= 2)
	t.pass()
})

test('tables that are not wanted are not looked at', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 3 })
	const matchesTable = (name: string) => name === 't0001'
	const { looks, sweeps } = watchFolders(t, tree.dataDirectories, { hints: false, matchesTable })
	await until('it sweeps', () => sweeps.length >= 2)
	t.deepEqual(looks, [tree.folders[1] ?? ''])
})

test('a rescan looks at every table at once', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2 })
	const { watch, looks, sweeps } = watchFolders(t, tree.dataDirectories, { hints: false, sweepMs: 3_600_000 })
	await until('it has swept', () => sweeps.length === 1)
	looks.length = 0
	watch.rescan()
	await until('it has swept again', () => sweeps.length === 2)
	t.deepEqual([...looks].sort(), [...tree.folders].sort())
})

test('a keyspace that is unmounted is missed once, looked at again when it is back, and others go on', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const [directory = ''] = tree.dataDirectories
	const [folder = ''] = tree.folders
	mkdirSync(join(directory, `other/there${ID}`), { recursive: true })
	const keyspaces = ['ks', 'other', 'later']
	const { looks, sweeps, warnings } = watchFolders(t, tree.dataDirectories, { hints: false, keyspaces })
	await until('both are looked at', () => looks.length === 2)
	t.deepEqual(warnings.splice(0), [`there is no keyspace "later" in ${directory}; it is waited for`])

	renameSync(join(directory, 'ks'), join(tree.root, 'away'))
	await until('it is missed', () => warnings.length > 0)
	mkdirSync(join(directory, `other/there${ID}/snapshots/tag`), { recursive: true })
	await until('the other keyspace is looked at', () => looks.slice(2).includes(`there${ID}`))
	t.deepEqual(warnings.splice(0), [`there is no keyspace "ks" in ${directory}; it is waited for`])
	t.deepEqual(sweeps.at(-1)?.keyspaces, ['other'])

	looks.length = 0
	renameSync(join(tree.root, 'away'), join(directory, 'ks'))
	await until('it is looked at again', () => looks.includes(folder))
	mkdirSync(join(directory, 'later'))
	await until('the awaited one is there', () => warnings.length === 2)
	t.deepEqual(warnings, ['keyspace "ks" is there now', 'keyspace "later" is there now'])
})

test('a data directory that is missing is told of once, and waited for', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1, dataDirectories: 2 })
	const [first = '', second = ''] = tree.dataDirectories
	rmSync(first, { recursive: true })
	const { looks, sweeps, warnings } = watchFolders(t, [first, second], { hints: false })
	await until('it sweeps', () => sweeps.length >= 3)
	t.deepEqual(warnings.splice(0), [`the data directory ${first} does not exist; it is waited for`])
	t.deepEqual(sweeps.at(-1)?.dataDirectories, [second])
	looks.length = 0
	mkdirSync(join(first, 'ks', tree.folders[0] ?? ''), { recursive: true })
	await until('the table is looked at in both', () => looks.length > 0 && warnings.length > 0)
	t.deepEqual(warnings, [`the data directory ${first} is there now`])
})

test('a glance that fails is told once, and sweeps go on; a slow one is never doubled', async (t) => {
	let glances = 0
	let running = 0
	let most = 0
	const glance = async () => {
		most = Math.max(most, ++running)
		await new Promise((resolve) => setTimeout(resolve, 30))
		running--
		if (++glances < 4) throw new Error('the thread has ended')
		return { tables: [], keyspaces: ['ks'], folders: [], missing: [], dataDirectories: ['/data'] }
	}
	const { watch, sweeps, warnings } = watchFolders(t, ['/data'], { hints: false, glance, sweepMs: 1 })
	const rescans = setInterval(() => watch.rescan(), 5)
	t.teardown(() => clearInterval(rescans))
	await until('it sweeps', () => sweeps.length >= 2)
	t.is(most, 1)
	t.deepEqual(warnings, [
		'can’t look at the data directories: Error: the thread has ended',
		'the data directories can be looked at again',
	])
})
