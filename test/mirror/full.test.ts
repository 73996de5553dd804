import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import { runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { compareMirror } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { assertNoTrace, fingerprint, makeScene, type Scene, trueReceipts } from './support/scene.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'

/** A node, and a haven on a file system of its own of so many KB. */
async function makeSmall(t: ExecutionContext, sizeKB: number, dataBytes: number, tables = 1): Promise<Scene> {
	const scene = makeScene(t, { dataBytes, tables })
	const nas = join(ownFolder(t), 'nas')
	mkdirSync(nas)
	await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeKB}k,nr_inodes=0`, 'tmpfs', nas])
	t.teardown(() => execa('umount', ['--lazy', nas], { reject: false }))
	const haven = join(nas, 'haven')
	const sync: Scene['sync'] = (flags = []) =>
		runCli(['--once', '-s', haven, ...scene.node.flags, ...flags, 'ks'], { stateDirectory: scene.state })
	return { ...scene, haven, sync }
}

testWhere(notRoot, 'what will not fit is not begun, and says how much is missing, exit 1', async (t) => {
	const scene = await makeSmall(t, 3000, 2_000_000)
	takeSnapshot(scene.node, 'daily')
	const result = await scene.sync()
	t.is(result.exitCode, 1)
	const [, needed, free, missing] =
		/the haven is full: it needs (\d+) bytes there, and (\d+) are free: (\d+) are missing/.exec(result.stderr) ?? []
	t.is(Number(needed) - Number(free), Number(missing))
	t.true(Number(needed) > 4_000_000 && Number(free) < 3000 * 1024)
	assertNoTrace(t, result)
	t.false(existsSync(join(scene.haven, 'data')))
	t.deepEqual(trueReceipts(t, scene), [])
})

testWhere(notRoot, 'what can’t be linked, and will not fit as a copy, is not begun either', async (t) => {
	const parent = join(ownFolder(t), 'disk')
	mkdirSync(parent)
	await execa('mount', ['-t', 'tmpfs', '-o', 'size=6000k,nr_inodes=0', 'tmpfs', parent])
	t.teardown(() => execa('umount', ['--lazy', parent], { reject: false }))
	const scene = makeScene(t, { parent, dataBytes: 2_000_000 })
	takeSnapshot(scene.node, 'daily')
	const preload = `import fs from 'node:fs'
const { linkSync } = fs
fs.linkSync = (from, to) => {
	if (/Data.db$/.test(to)) throw Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1, syscall: 'link' })
	return linkSync(from, to)
}`
	const env = {
		SNAPHAVEN_TEST_SLICE_BYTES: '100000',
		NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
	}
	const result = await scene.sync(['--hardlink'], { env })
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /the haven is full: it needs 4\d{6} bytes there, and 1\d{6} are free/)
	t.false(existsSync(join(scene.haven, 'data')))
	t.deepEqual(trueReceipts(t, scene), [])
})

testWhere(
	notRoot,
	'where small files can’t be linked, and the rest will not fit as copies, that is seen at once',
	async (t) => {
		const parent = join(ownFolder(t), 'disk')
		mkdirSync(parent)
		await execa('mount', ['-t', 'tmpfs', '-o', 'size=10800k,nr_inodes=0', 'tmpfs', parent])
		t.teardown(() => execa('umount', ['--lazy', parent], { reject: false }))
		const scene = makeScene(t, { parent, dataBytes: 90_000, sstables: 60 })
		takeSnapshot(scene.node, 'daily')
		const log = join(ownFolder(t), 'opened')
		const preload = `import fs from 'node:fs'
const { linkSync, openSync } = fs
fs.linkSync = (from, to) => {
	if (/[.]db$/.test(to)) throw Object.assign(new Error('EPERM'), { code: 'EPERM', errno: -1, syscall: 'link' })
	return linkSync(from, to)
}
fs.openSync = (path, flags, ...rest) => {
	if (/partial.*Data.db$/.test(path)) fs.appendFileSync(${JSON.stringify(log)}, path + '\\n')
	return openSync(path, flags, ...rest)
}`
		const env = {
			SNAPHAVEN_TEST_SLICE_BYTES: '100000',
			NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
		}
		const result = await scene.sync(['--hardlink'], { env })
		t.is(result.exitCode, 1)
		t.regex(result.stderr, /the haven is full: it needs 5\d{6} bytes there, and \d+ are free/)
		t.regex(result.stderr, /Not all of its files can share the node’s blocks, and what was copied is removed/)
		const begun = readFileSync(log, 'utf8').trim().split('\n').length
		t.true(begun > 0 && begun < 12, `${begun} of 60 were copied`)
		t.deepEqual(
			fingerprint(scene.haven, '%y %P').filter((line) => /^f .*[.]db$/.test(line)),
			[],
		)
		t.deepEqual(trueReceipts(t, scene), [])
		await execa('mount', ['-o', 'remount,size=20000k', parent])
		await scene.syncWell(['--hardlink'], { env })
		t.is(trueReceipts(t, scene).length, 1)
	},
)

testWhere(notRoot, 'what fits is sealed, though another does not fit', async (t) => {
	const scene = await makeSmall(t, 5000, 1_000_000, 4)
	takeSnapshot(scene.node, 'daily')
	const result = await scene.sync()
	t.is(result.exitCode, 1)
	t.is(trueReceipts(t, scene).length, 2)
	t.is(result.stderr.match(/are missing/g)?.length, 2)
	const sealed = new Set(trueReceipts(t, scene).map(({ table }) => table))
	t.deepEqual(compareMirror(scene.node, scene.haven, (id) => sealed.has(id.split('/')[1] ?? '')).differences, [])
})

testWhere(
	notRoot,
	'a haven that is full to the last block says so, and is whole again once there is room',
	async (t) => {
		const scene = await makeSmall(t, 2000, 10_000)
		takeSnapshot(scene.node, 'daily')
		await scene.sync()
		takeSnapshot(scene.node, 'weekly')
		const filler = join(scene.haven, '..', 'filler')
		const { bfree, bsize } = statfsSync(scene.haven)
		writeFileSync(filler, Buffer.alloc(bfree * bsize))
		const result = await scene.sync()
		t.is(result.exitCode, 1)
		t.regex(result.stderr, /the haven \S+ is full\n\s+Free some space there/)
		assertNoTrace(t, result)
		t.is(trueReceipts(t, scene).length, 1)
		writeFileSync(filler, '')
		t.is((await scene.sync()).exitCode, 0)
		t.is(trueReceipts(t, scene).length, 2)
		t.deepEqual(readdirSync(join(scene.haven, '.snaphaven/partial')), [])
	},
)
