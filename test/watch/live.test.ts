import { linkSync, mkdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { glanceAtTables } from '../../src/cassandra/glance.ts'
import { runSync } from '../../src/files/io.ts'
import { ownFolder } from '../support/folder.ts'
import { flushTables, makeTree, takeSnapshot } from '../support/tree.ts'
import { until, watchFolders } from './support/watching.ts'

test('sweeps tell of live SSTables that come and go, in a secondary index too, apart from snapshots', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2, dataDirectories: 2 })
	const looks: string[] = []
	watchFolders(t, tree.dataDirectories, {
		hints: false,
		glance: async () => {
			const glance = runSync(glanceAtTables(tree.dataDirectories, 'all', { live: true, backups: false }))
			// Else what has just changed is looked at again by the next sweep.
			const tables = glance.tables.map((table) => ({
				...table,
				changedMs: 0,
				...(table.live ? { live: { ...table.live, changedMs: 0 } } : {}),
			}))
			return { ...glance, tables }
		},
		onLook: ({ table }, kind) => void looks.push(`${table} ${kind}`),
	})
	const [first = '', second = ''] = tree.folders
	await until('each is looked at, at both', () => looks.length >= 4)
	t.deepEqual(looks.splice(0).sort(), tree.folders.flatMap((table) => [`${table} live`, `${table} snapshots`]).sort())
	flushTables({ ...tree, folders: [second] })
	await until('a flush is seen', () => looks.length > 0)
	t.deepEqual([...new Set(looks.splice(0))], [`${second} live`])

	const index = join(tree.dataDirectories[0] ?? '', 'ks', first, '.by_city')
	mkdirSync(index)
	await until('an index is seen', () => looks.includes(`${first} live`))
	looks.length = 0
	writeFileSync(join(index, 'nb-1-big-Data.db'), 'index')
	await until('an SSTable of an index is seen', () => looks.includes(`${first} live`))
	looks.length = 0
	linkSync(join(index, 'nb-1-big-Data.db'), join(index, 'nb-2-big-Data.db'))
	unlinkSync(join(index, 'nb-1-big-Data.db'))
	await until('its compaction is seen', () => looks.includes(`${first} live`))
	rmSync(index, { recursive: true })
	takeSnapshot(tree, 'tag', { folders: [second] })
	await until('a snapshot is seen as one', () => looks.includes(`${second} snapshots`))
})

test('where nobody asks for live SSTables, no glance looks at their folders', (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	t.is(runSync(glanceAtTables(tree.dataDirectories, 'all')).tables[0]?.live, undefined)
})
