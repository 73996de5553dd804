import { existsSync, linkSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { trueBackups } from '../backups/support/backups.ts'
import { isLive, liveFolder, nodeFolders } from '../live/support/live-set.ts'
import { runCli } from '../support/cli.ts'
import { filesPerSSTable, flushTables, linkBackups } from '../support/tree.ts'
import { makeServiceScene } from './support/service.ts'

const namesIn = (folder: string) =>
	existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('nb-')) : []

test('the service mirrors incremental backups as they come, shares them with the live set, and prunes the node', async (t) => {
	const scene = makeServiceScene(t, { tables: 2, dataDirectories: 2 })
	const service = scene.start(['--backups', '--sync-sstables', '--prune-backups', '--prune-backups-after', '1s'])
	await service.until('the live set', () => isLive(scene))
	flushTables(scene.node, 2)
	linkBackups(scene.node, 2)
	const copies = scene.node.folders.map((table) => join(liveFolder(scene, table), 'backups'))
	const own = scene.node.folders.flatMap((table) => nodeFolders(scene.node, table)).map((path) => join(path, 'backups'))
	await service.until('the backups', () => copies.every((folder) => namesIn(folder).length === 2 * filesPerSSTable))
	await service.until('the pruning', () => own.every((folder) => namesIn(folder).length === 0))
	const [copy = ''] = copies
	flushTables(scene.node)
	const [, flushed = ''] = nodeFolders(scene.node, scene.node.folders[0] ?? '')
	const names = namesIn(flushed).filter((name) => name.startsWith('nb-5-'))
	for (const name of names.filter((one) => !one.endsWith('TOC.txt')))
		linkSync(join(flushed, name), join(flushed, 'backups', name))
	await service.until('the flush', () => namesIn(join(copy, '..')).some((name) => name.startsWith('nb-5-')))
	t.deepEqual(
		namesIn(copy).filter((name) => name.startsWith('nb-5-')),
		[],
	)
	linkSync(join(flushed, 'nb-5-big-TOC.txt'), join(flushed, 'backups/nb-5-big-TOC.txt'))
	await service.until('the whole SSTable', () => namesIn(copy).length === 3 * filesPerSSTable)
	await service.until('its pruning', () => own.every((folder) => namesIn(folder).length === 0))
	for (const name of namesIn(copy).filter((one) => /^nb-5.*(Data|Index)/.test(one))) {
		t.is(statSync(join(copy, name)).ino, statSync(join(copy, '..', name)).ino)
	}
	const status = await runCli(['status', '-s', scene.haven], { stateDirectory: scene.state })
	t.regex(status.stdout, /^backups: +5 incremental SSTables came \(.*\), the last .* ago, 5 gone from the node/m)
	await service.stop()
	t.true(trueBackups(t, scene).length >= 3)
	t.notRegex(service.said(), /damaged|error/)
	t.regex(service.said(), /^pruned ks\.t0000: \d incremental SSTables? \(.*\) gone from the node/m)
	for (const folder of own) rmSync(folder, { recursive: true })
})
