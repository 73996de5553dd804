import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'
import { watchAlone, watchesOf } from './support/alone.ts'
import { until } from './support/watching.ts'

const LIMIT = '/proc/sys/user/max_inotify_watches'
const canLimit = ['unshare', '--user', '--map-root-user', 'sh', '-c', `echo 9 > ${LIMIT}`]
const missing =
	existsSync(LIMIT) && execaSync(canLimit[0] ?? '', canLimit.slice(1), { reject: false }).exitCode === 0
		? undefined
		: 'needs user namespaces with limits of inotify'

const machine = (kind: string) => readFileSync(`/proc/sys/fs/inotify/max_user_${kind}`, 'utf8').trim()

testWhere(
	missing,
	'without an inotify instance to be had, a warning names the setting, and sweeps go on',
	async (t) => {
		const tree = makeTree(ownFolder(t), { tables: 2 })
		const watch = watchAlone(t, tree.dataDirectories[0] ?? '', ['instances=0'])
		await until('it warns', () => watch.warnings.length > 0)
		t.is(
			watch.warnings[0],
			`the kernel gives no more inotify instances to this user (fs.inotify.max_user_instances is ${machine('instances')}, user.max_inotify_instances here 0; one is needed for these folders, beside other programs’): new snapshots are found by the regular sweeps alone, some seconds later. Raise user.max_inotify_instances`,
		)
		const { sweeps } = watch
		watch.looks.length = 0
		takeSnapshot(tree, 'tag')
		await until('both tables are looked at', () => new Set(watch.looks).size === 2 && watch.sweeps > sweeps + 5)
		t.is(watch.warnings.length, 1)
		t.deepEqual(watch.children, [])
		t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
	},
)

testWhere(missing, 'the very last inotify instance is enough', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '', ['instances=1'])
	await until('all is watched', () => watchesOf(watch.children[0]) === 2)
	t.deepEqual(watch.warnings, [])
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
	t.deepEqual(watch.children, [])
})

testWhere(missing, 'with too few inotify watches, a warning tells how many are needed, and sweeps go on', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 3 })
	takeSnapshot(tree, 'first')
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '', ['watches=9'])
	await until('it warns', () => watch.warnings.length > 0)
	t.regex(watch.warnings[0] ?? '', /no more inotify watches .*fs\.inotify\.max_user_watches is \d+/)
	// The keyspace’s folder, and of each table its own, snapshots/ and the tag’s.
	t.regex(watch.warnings[0] ?? '', /user\.max_inotify_watches here 9; about 10 are needed/)
	watch.looks.length = 0
	takeSnapshot(tree, 'tag')
	await until('all tables are looked at', () => new Set(watch.looks).size === 3)
	t.is(watch.warnings.length, 1)
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
})

testWhere(missing, 'watches that run out later, without a word of the kernel, are noticed and told of', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const snapshots = join(tree.dataDirectories[0] ?? '', 'ks', tree.folders[0] ?? '', 'snapshots')
	mkdirSync(snapshots)
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '', ['watches=5'])
	await until('all is watched', () => watchesOf(watch.children[0]) === 3)
	t.deepEqual(watch.warnings, [])
	for (let tag = 0; tag < 5; tag++) mkdirSync(join(snapshots, `tag${tag}`))
	await until('it warns', () => watch.warnings.length > 0)
	t.regex(watch.warnings[0] ?? '', /here 5; about 8 are needed/)
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
})
