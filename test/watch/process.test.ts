import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ownFolder } from '../support/folder.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'
import { watchAlone } from './support/alone.ts'
import { until } from './support/watching.ts'

test('where the process that hints come from dies, sweeps go on and another one takes its place', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 2 })
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '')
	await until('it runs', () => watch.children.length === 1)
	const [first = ''] = watch.children
	process.kill(Number(first), 'SIGSEGV')
	watch.looks.length = 0
	takeSnapshot(tree, 'tag')
	await until('both tables are looked at', () => new Set(watch.looks).size === 2)
	await until('another one runs', () => watch.children.length === 1 && watch.children[0] !== first)
	t.deepEqual(watch.warnings, [])
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
	t.deepEqual(watch.children, [])
})

test('where it dies again and again, that is told once, and sweeps go on', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '')
	const killer = setInterval(() => {
		for (const child of watch.children.splice(0)) {
			try {
				process.kill(Number(child), 'SIGSEGV')
			} catch {
				// Gone already.
			}
		}
	}, 20)
	t.teardown(() => clearInterval(killer))
	await until('it warns', () => watch.warnings.length > 0)
	t.regex(watch.warnings[0] ?? '', /^can’t watch the data directories by inotify \(its process has ended \(SIGSEGV\)\)/)
	const { sweeps } = watch
	await until('it sweeps on', () => watch.sweeps > sweeps + 10)
	t.is(watch.warnings.length, 1)
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
})

test('where it is stuck, it is replaced', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '')
	await until('it runs', () => watch.children.length === 1)
	const [first = ''] = watch.children
	process.kill(Number(first), 'SIGSTOP')
	await until('another one runs', () => watch.children.length === 1 && watch.children[0] !== first)
	t.throws(() => process.kill(Number(first), 0), { code: 'ESRCH' })
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
})

test('folders that went out of watch are watched anew', async (t) => {
	const tree = makeTree(ownFolder(t), { tables: 1 })
	const keyspace = join(tree.dataDirectories[0] ?? '', 'ks')
	const watch = watchAlone(t, tree.dataDirectories[0] ?? '')
	await until('it runs', () => watch.children.length === 1)
	const [first = ''] = watch.children
	// What is made in a new folder before the watch of it stands is never watched: as often as it takes.
	let made = 0
	await until('another one runs', () => {
		mkdirSync(join(keyspace, `made${made++}/snapshots/a`), { recursive: true })
		return watch.children.length === 1 && watch.children[0] !== first
	})
	t.deepEqual(watch.warnings, [])
	t.deepEqual(await watch.end(), { exitCode: 0, closed: true })
})
