import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertMirrored } from '../support/mirrored.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

/** A node of three tables, the first of which has a file that is other than when it was written. */
function makeDamaged(
	t: ExecutionContext,
	name: string,
	change: (bytes: Buffer) => Buffer,
): Scene & { damaged: string } {
	const scene = makeScene(t, { tables: 3 })
	takeSnapshot(scene.node, 'daily')
	const damaged = join(tagFolders(scene.node, 'daily')[0]?.path ?? '', name)
	spoil(damaged, change)
	return { ...scene, damaged }
}

/** Changes a file’s bytes and not its time. */
function spoil(path: string, change: (bytes: Buffer) => Buffer): void {
	const { atimeMs, mtimeMs } = statSync(path)
	writeFileSync(path, change(readFileSync(path)))
	utimesSync(path, atimeMs / 1000, mtimeMs / 1000)
}

function flipBit(bytes: Buffer): Buffer {
	bytes[1000] = (bytes[1000] ?? 0) ^ 1
	return bytes
}

const damages: [string, string, (bytes: Buffer) => Buffer, RegExp][] = [
	[
		'one bit of Data.db',
		'nb-2-big-Data.db',
		flipBit,
		/nb-2-big-Data\.db: its CRC-32 is \d+, and Digest\.crc32 says \d+/,
	],
	[
		'a Digest.crc32 that is no number',
		'nb-2-big-Digest.crc32',
		() => Buffer.from('x1'),
		/Digest\.crc32: it holds "x1", not the CRC-32/,
	],
	[
		'an empty Digest.crc32',
		'nb-2-big-Digest.crc32',
		() => Buffer.alloc(0),
		/Digest\.crc32: it holds "", not the CRC-32/,
	],
	[
		'a huge Digest.crc32',
		'nb-2-big-Digest.crc32',
		() => Buffer.alloc(400_000, 'x'),
		/Digest\.crc32: it holds "x+", not the CRC-32/,
	],
]

for (const [what, name, change, message] of damages) {
	for (const flags of [[], ['--hardlink']]) {
		test(`${what} is damage at the source: sealed as that, named, exit 3, and the rest goes on ${flags}`, async (t) => {
			const scene = makeDamaged(t, name, change)
			const result = await scene.sync(flags)
			t.is(result.exitCode, 3)
			t.regex(result.stderr, message)
			assertNoTrace(t, result)
			assertMirrored(scene.node, scene.haven)
			const states = trueReceipts(t, scene).map(({ table, state }) => `${table.slice(0, 5)} ${state}`)
			t.deepEqual(states.sort(), ['t0000 damaged', 't0001 whole', 't0002 whole'])
		})
	}
}

test('--move-snapshots keeps the damaged snapshot on the node, whole, and moves the others', async (t) => {
	const scene = makeDamaged(t, 'nb-1-big-Data.db', flipBit)
	const [first = '', ...others] = tagFolders(scene.node, 'daily').map(({ path }) => path)
	const before = fingerprint(first)
	const result = await scene.sync(['--move-snapshots'])
	t.is(result.exitCode, 3)
	t.regex(result.stderr, /kept on the node ks\/t0000-.*: it is damaged, and the node may have the only better copy/)
	t.deepEqual(changesBetween(before, fingerprint(first)), [])
	for (const path of others) t.deepEqual(fingerprint(path), [])
	t.is((await scene.sync(['--move-snapshots'])).exitCode, 3, 'it is told as long as it is there')
	t.deepEqual(changesBetween(before, fingerprint(first)), [])
})

test('a copy that was damaged is not reused: once the node’s own is good again, that is copied', async (t) => {
	const scene = makeDamaged(t, 'nb-1-big-Data.db', flipBit)
	t.is((await scene.sync()).exitCode, 3)
	spoil(scene.damaged, flipBit)
	takeSnapshot(scene.node, 'weekly')
	const sealed = objectsOf(await scene.sync(['--json'])).filter(({ type }) => type === 'sealed')
	t.deepEqual(
		sealed.map(({ state }) => state),
		['whole', 'whole', 'whole'],
	)
	t.deepEqual(readFileSync(join(mirrored(scene, 'weekly'), 'nb-1-big-Data.db')), readFileSync(scene.damaged))
	trueReceipts(t, scene)
})

test('a Data.db that can’t be shared any more is held against its Digest.crc32, which is shared', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	rmSync(join(mirrored(scene, 'daily'), 'nb-2-big-Data.db'))
	takeSnapshot(scene.node, 'weekly')
	spoil(join(tagFolders(scene.node, 'weekly')[0]?.path ?? '', 'nb-2-big-Data.db'), flipBit)
	const result = await scene.sync()
	t.is(result.exitCode, 3)
	t.regex(result.stderr, /nb-2-big-Data\.db: its CRC-32 is \d+, and Digest\.crc32 says \d+/)
})

test('reads that give less than was asked for are no damage', async (t) => {
	const scene = makeScene(t, { dataBytes: 200 })
	takeSnapshot(scene.node, 'daily')
	const preload = `import fs from 'node:fs'
		const { readSync } = fs
		fs.readSync = (fd, buffer, offset, length, position) => readSync(fd, buffer, offset, Math.min(length, 4), position)`
	await scene.syncWell([], { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` } })
	t.deepEqual(
		trueReceipts(t, scene).map(({ state }) => state),
		['whole'],
	)
})
