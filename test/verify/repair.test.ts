import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { takeLease } from '../../src/haven/lease.ts'
import { changesBetween, fingerprint, makeScene, objectsOf, trueReceipts } from '../mirror/support/scene.ts'
import { clearSnapshot, takeSnapshot } from '../support/tree.ts'
import { damagesOf, filesByInode, flipBit, sealedFixture, verify } from './support.ts'

test.serial(
	'--repair puts proven copies of the node in the place of what is damaged, under all names, and all is good then',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-bti')
		const { haven } = sealed
		const files = filesByInode(haven).filter(([first = '']) => statSync(join(haven, first)).size > 0)
		const shared = files.filter((paths) => paths.length > 1)
		const single = files.filter((paths) => paths.length === 1).map(([path = '']) => join(haven, path))
		const [rotten = [], cut = []] = shared.filter(([path = '']) => path.endsWith('Data.db'))
		const [missing = '', folder = '', link = ''] = single.filter((path) => path.endsWith('Filter.db'))
		flipBit(join(haven, rotten[0] ?? ''))
		truncateSync(join(haven, cut[0] ?? ''), 3)
		rmSync(missing)
		rmSync(folder)
		mkdirSync(join(folder, 'inside'), { recursive: true })
		rmSync(link)
		symlinkSync('/etc/passwd', link)
		const node = fingerprint(sealed.dataDirectories[0] ?? '', '%P %y %i %n %s %m %T@ %l')
		const result = await verify(sealed, ['--json', '--repair', ...sealed.node])
		t.is(result.exitCode, 3, result.stderr)
		t.is(damagesOf(result).length, rotten.length + cut.length + 3)
		const objects = objectsOf(result)
		t.is(objects.filter(({ type }) => type === 'repaired').length, 5, result.stdout)
		t.is(objects.filter(({ type }) => type === 'not repaired').length, 0)
		trueReceipts(t, sealed)
		for (const paths of [rotten, cut]) {
			t.is(new Set(paths.map((path) => statSync(join(haven, path)).ino)).size, 1)
		}
		t.true(lstatSync(link).isFile())
		t.is((await verify(sealed, sealed.node)).exitCode, 0)
		t.deepEqual(changesBetween(node, fingerprint(sealed.dataDirectories[0] ?? '', '%P %y %i %n %s %m %T@ %l')), [])
	},
)

test.serial('what has no good copy any more is named, stays as it is, and is repaired by none', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	clearSnapshot(scene.node, 'daily')
	const table = scene.node.folders[0] ?? ''
	const live = join(scene.node.dataDirectories[0] ?? '', 'ks', table)
	for (const name of readdirSync(live)) rmSync(join(live, name), { recursive: true })
	const path = join(scene.haven, 'data/ks', table, 'snapshots/daily/nb-1-big-Data.db')
	flipBit(path)
	const bytes = readFileSync(path)
	const { exitCode, stderr } = await verify(scene, ['--repair', ...scene.node.flags])
	t.is(exitCode, 3)
	t.regex(stderr, /\n {2}no good copy was found\nnot repaired: data\/ks\/\S+nb-1-big-Data\.db: no good copy was found$/)
	t.deepEqual(readFileSync(path), bytes)
})

test.serial('nothing is repaired beside another writer, which is named', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const path = join(scene.haven, 'data/ks', scene.node.folders[0] ?? '', 'snapshots/daily/nb-1-big-Data.db')
	flipBit(path)
	const bytes = readFileSync(path)
	const { signal } = new AbortController()
	const lease = await takeLease({ base: scene.haven, haven: scene.haven, onWait: () => {}, signal })
	try {
		const { exitCode, stderr } = await verify(scene, ['--repair', ...scene.node.flags])
		t.is(exitCode, 3)
		t.regex(stderr, new RegExp(`is being written by process ${process.pid} `))
	} finally {
		await lease.release()
	}
	t.deepEqual(readFileSync(path), bytes)
})
