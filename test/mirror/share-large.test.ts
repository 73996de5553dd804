import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { assertMirrored } from '../support/mirrored.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeScene, mirrored, objectsOf, type Scene, trueReceipts } from './support/scene.ts'

const DATA = 'nb-1-big-Data.db'
// More than is read at once, so that a stop is seen in the middle of one.
const PIECE = 600_000
const pieces = Array.from({ length: 10 }, (_, piece) => piece * PIECE)

/** A snapshot whose Data.db are of ten pieces each, and the path of the first on the node. */
function makeLarge(t: ExecutionContext): Scene & { source: string } {
	const scene = makeScene(t, { dataBytes: pieces.length * PIECE })
	takeSnapshot(scene.node, 'daily')
	return { ...scene, source: join(tagFolders(scene.node, 'daily')[0]?.path ?? '', DATA) }
}

/** The environment of such pieces; the code runs in each thread before anything else. */
function inPieces(...code: string[]): Record<string, string> {
	const preload = ["import fs from 'node:fs'", ...code].join('\n')
	return {
		SNAPHAVEN_TEST_SLICE_BYTES: String(PIECE),
		NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
	}
}

/** Code that notes each position that is read from, or written to, and then does more. */
function note(call: 'readSync' | 'writeSync', file: string, more = ''): string {
	return `
const real = fs.${call}
fs.${call} = (fd, buffer, offset, length, position) => {
	if (typeof position === 'number') {
		fs.appendFileSync(${JSON.stringify(file)}, position + ' ')
		${more}
	}
	return real(fd, buffer, offset, length, position)
}`
}

/** Which pieces were begun, as `note` has noted it. */
function begun(file: string): number[] {
	const positions = new Set(readFileSync(file, 'utf8').trimEnd().split(' ').map(Number))
	return pieces.filter((piece) => positions.has(piece))
}

/** Code that refuses to link the file: the first time, or each time. */
function refuse(scene: Scene, how: 'once' | 'always'): string {
	const mark = JSON.stringify(join(scene.own, 'refused'))
	return `
const { linkSync } = fs
fs.linkSync = (from, to) => {
	if (/${DATA}$/.test(to) && !(${how === 'once'} && fs.existsSync(${mark}))) {
		fs.writeFileSync(${mark}, '')
		throw Object.assign(new Error('EMLINK: too many links'), { code: 'EMLINK', errno: -31, syscall: 'link' })
	}
	return linkSync(from, to)
}`
}

test('a large file that is hard-linked is read in pieces, and nothing of it is set', async (t) => {
	const scene = makeLarge(t)
	const [before, read] = [statSync(scene.source), join(scene.own, 'read')]
	const [sealed] = objectsOf(await scene.syncWell(['--hardlink', '--json'], { env: inPieces(note('readSync', read)) }))
	t.like(sealed, { type: 'sealed', state: 'whole', hardlinked: { files: 2 * 4 + 2 } })
	const after = statSync(join(mirrored(scene, 'daily'), DATA))
	t.deepEqual([after.ino, after.mode, after.mtimeMs], [before.ino, before.mode, before.mtimeMs])
	t.is(after.nlink, before.nlink + 1)
	t.deepEqual(begun(read), pieces)
	trueReceipts(t, scene)
})

// Refused once alone: whoever tried again beside the copy would write into the node's file, or find one in the way.
test('one that can’t be linked is copied in pieces, and the node’s own file stays as it is', async (t) => {
	const scene = makeLarge(t)
	const { source } = scene
	const [before, contents, written] = [statSync(source), readFileSync(source), join(scene.own, 'written')]
	const env = inPieces(refuse(scene, 'once'), note('writeSync', written))
	const [sealed] = objectsOf(await scene.syncWell(['--hardlink', '--json'], { env }))
	t.like(sealed, { type: 'sealed', state: 'whole', copied: { files: 2 * 4 + 1 }, hardlinked: { files: 2 * 4 + 1 } })
	t.deepEqual(begun(written), pieces)
	t.not(statSync(join(mirrored(scene, 'daily'), DATA)).ino, before.ino)
	const { ino, nlink, mtimeMs, ctimeMs } = statSync(source)
	t.deepEqual([ino, nlink, mtimeMs, ctimeMs], [before.ino, before.nlink, before.mtimeMs, before.ctimeMs])
	t.true(readFileSync(source).equals(contents))
	assertMirrored(scene.node, scene.haven)
	trueReceipts(t, scene)
})

test('a copy in place of a link goes on after a stop where it was stopped', async (t) => {
	const scene = makeLarge(t)
	const [first, again, second] = ['first', 'again', 'second'].map((name) => join(scene.own, name)) as [
		string,
		string,
		string,
	]
	// Signalled once: a second one would end it at once.
	const stopAt = (file: string, least: number) => `if (position >= ${least}) {
			try {
				fs.writeFileSync(${JSON.stringify(file)} + '.stopped', '', { flag: 'wx' })
				process.kill(process.pid, 'SIGINT')
			} catch {}
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
		}`
	// The second time before anything further has come.
	for (const [file, least] of [
		[first, 3 * PIECE],
		[again, 0],
	] as const) {
		const env = inPieces(refuse(scene, 'always'), note('writeSync', file, stopAt(file, least)))
		t.is((await scene.sync(['--hardlink'], { env })).exitCode, 1)
		t.false(existsSync(mirrored(scene, 'daily')))
		t.true(readdirSync(join(scene.haven, '.snaphaven/partial')).length > 0)
	}
	const env = inPieces(refuse(scene, 'always'), note('writeSync', second))
	t.like(objectsOf(await scene.syncWell(['--hardlink', '--json'], { env }))[0], { state: 'whole' })
	t.false(begun(second).includes(0))
	assertMirrored(scene.node, scene.haven)
	trueReceipts(t, scene)
})

test('damage in the last piece of a hard-linked file is found', async (t) => {
	const { source, sync } = makeLarge(t)
	const fd = openSync(source, 'r+')
	writeSync(fd, 'x', statSync(source).size - 1)
	closeSync(fd)
	const { exitCode, stderr } = await sync(['--hardlink'], { env: inPieces() })
	t.is(exitCode, 3)
	t.regex(stderr, /nb-1-big-Data\.db: its CRC-32 is \d+, and Digest\.crc32 says/)
})

test('a snapshot that is cleared just before its large files are linked is skipped, and nothing of it counts', async (t) => {
	const scene = makeLarge(t)
	const clear = `
const real = fs.linkSync
fs.linkSync = (from, to) => {
	if (/${DATA}$/.test(to)) fs.rmSync(${JSON.stringify(join(scene.source, '..'))}, { recursive: true, force: true })
	return real(from, to)
}`
	const result = await scene.sync(['--hardlink', '--json'], { env: inPieces(clear) })
	t.is(result.exitCode, 0, result.stderr)
	t.deepEqual(
		objectsOf(result).map(({ type }) => type),
		['skipped', 'summary'],
	)
	t.deepEqual(trueReceipts(t, scene), [])
})
