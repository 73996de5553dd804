import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ownFolder } from '../support/folder.ts'
import { clearSnapshot, flushTables, makeTree, takeSnapshot } from '../support/tree.ts'
import { NEVER_MS, until, watchFolders } from './support/watching.ts'

const ID = '-0123456789abcdef0123456789abcdef'

test('hints alone tell of tags that are taken, completed and cleared, in all data directories', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 3, dataDirectories: 2 })
	const [, , third = ''] = tree.folders
	const tag = join(tree.dataDirectories[1] ?? '', 'ks', third, 'snapshots/tag')
	mkdirSync(join(tag, '..'))
	const { looks, sweeps, blindSweeps, warnings } = watchFolders(t, tree.dataDirectories, { sweepMs: NEVER_MS })
	// The second sweep comes when the folders are watched.
	await until('the folders are watched', () => sweeps.length >= 2)
	blindSweeps()
	looks.length = 0
	for (const step of [
		() => mkdirSync(tag),
		() => writeFileSync(join(tag, 'manifest.json'), '{}'),
		() => writeFileSync(join(tag, 'schema.cql'), 'x'),
		() => clearSnapshot(tree, 'tag'),
	]) {
		step()
		await until('its table is looked at', () => looks.length > 0)
		t.deepEqual([...new Set(looks.splice(0))], [third])
	}
	t.deepEqual(warnings, [])
})

test('a new table is swept for at once, and then watched', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const table = join(tree.dataDirectories[0] ?? '', 'ks', `made${ID}`)
	const { looks, sweeps, blindSweeps } = watchFolders(t, tree.dataDirectories, { sweepMs: NEVER_MS })
	await until('the folders are watched', () => sweeps.length >= 2)
	mkdirSync(table)
	await until('it is looked at', () => looks.includes(`made${ID}`))
	blindSweeps()
	looks.length = 0
	mkdirSync(join(table, 'snapshots'))
	await until('it is watched', () => looks.includes(`made${ID}`))
	t.pass()
})

test('snapshots that are taken while the watch is set up are found as soon as it stands', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 20 })
	const { looks, sweeps } = watchFolders(t, tree.dataDirectories, { sweepMs: NEVER_MS })
	await until('the first sweep is over', () => sweeps.length >= 1)
	looks.length = 0
	for (let tag = 0; sweeps.length === 1; tag++) {
		takeSnapshot(tree, `tag${tag}`, { folders: tree.folders.slice(tag % 20).slice(0, 1) })
		await new Promise((resolve) => setTimeout(resolve, 5))
	}
	takeSnapshot(tree, 'last')
	await until('every table is looked at', () => new Set(looks).size === 20)
	t.pass()
})

test('the live files of a table cause no look', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2 })
	const [first = '', second = ''] = tree.folders
	const { looks, sweeps, blindSweeps } = watchFolders(t, tree.dataDirectories, { sweepMs: NEVER_MS })
	await until('the folders are watched', () => sweeps.length >= 2)
	blindSweeps()
	looks.length = 0
	flushTables({ ...tree, folders: [first] }, 5)
	takeSnapshot(tree, 'tag', { folders: [second] })
	await until('the snapshot’s table is looked at', () => looks.includes(second))
	t.false(looks.includes(first))
})

test('a keyspace’s folder that is replaced is watched anew', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const [directory = ''] = tree.dataDirectories
	const [folder = ''] = tree.folders
	const other = makeTree(join(tree.root, 'other'), { tables: 1 })
	const options = { keyspaces: ['ks'], sweepMs: NEVER_MS }
	const { watch, looks, sweeps, blindSweeps } = watchFolders(t, tree.dataDirectories, options)
	await until('the folders are watched', () => sweeps.length >= 2)
	renameSync(join(directory, 'ks'), join(tree.root, 'away'))
	watch.rescan()
	await until('it is missed', () => sweeps.at(-1)?.keyspaces.length === 0)
	renameSync(join(other.dataDirectories[0] ?? '', 'ks'), join(directory, 'ks'))
	watch.rescan()
	await until('it is back', () => sweeps.at(-1)?.keyspaces.length === 1)
	blindSweeps()
	const soFar = sweeps.length
	watch.rescan()
	await until('sweeps see nothing new any more', () => sweeps.length > soFar)
	looks.length = 0
	let tags = 0
	const isHinted = () => {
		// While it is not watched yet, nobody tells: as often as it takes.
		mkdirSync(join(directory, 'ks', folder, `snapshots/tag${tags++}`), { recursive: true })
		return looks.length > 0
	}
	await until('hints tell', isHinted)
	t.deepEqual([...new Set(looks)], [folder])
})

test('a watch that is closed while it is set up ends at once, and tells nothing any more', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 5 })
	for (const waitMs of [0, 1, 30, 100, 200]) {
		const { watch, looks, sweeps } = watchFolders(t, tree.dataDirectories, { sweepMs: NEVER_MS })
		await until('the first sweep is over', () => sweeps.length >= 1)
		await new Promise((resolve) => setTimeout(resolve, waitMs))
		await watch.close()
		const told = looks.length
		takeSnapshot(tree, `tag${waitMs}`)
		await new Promise((resolve) => setTimeout(resolve, 50))
		t.is(looks.length, told)
	}
})
