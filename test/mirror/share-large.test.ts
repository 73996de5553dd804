import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { assertMirrored } from '../support/mirrored.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeScene, mirrored, objectsOf, trueReceipts } from './support/scene.ts'

const DATA = 'nb-1-big-Data.db'
const form = { dataBytes: 1_000_000 }

/** The environment in which 1 MB is ten pieces; `more` is run in each thread before anything else. */
function inPieces(more = ''): Record<string, string> {
	return {
		SNAPHAVEN_TEST_SLICE_BYTES: '100000',
		NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`import fs from 'node:fs'\n${more}`)}`,
	}
}

test('a large file that is hard-linked is read in pieces, and nothing of it is set', async (t) => {
	const scene = makeScene(t, form)
	takeSnapshot(scene.node, 'daily')
	const source = join(tagFolders(scene.node, 'daily')[0]?.path ?? '', DATA)
	const [before, positions] = [statSync(source), join(scene.own, 'positions')]
	const note = `
const real = fs.readSync
fs.readSync = (fd, buffer, offset, length, position) => {
	if (typeof position === 'number') fs.appendFileSync(${JSON.stringify(positions)}, position + '\\n')
	return real(fd, buffer, offset, length, position)
}`
	const [sealed] = objectsOf(await scene.syncWell(['--hardlink', '--json'], { env: inPieces(note) }))
	t.like(sealed, { type: 'sealed', state: 'whole', hardlinked: { files: 2 * 4 + 2 } })
	const after = statSync(join(mirrored(scene, 'daily'), DATA))
	t.deepEqual([after.ino, after.mode, after.mtimeMs], [before.ino, before.mode, before.mtimeMs])
	t.is(after.nlink, before.nlink + 1)
	const begun = readFileSync(positions, 'utf8').split('\n').map(Number)
	t.true([0, 300_000, 900_000].every((position) => begun.includes(position)))
	trueReceipts(t, scene)
})

test('one that can’t be linked is copied in pieces, and the node’s own file stays as it is', async (t) => {
	const scene = makeScene(t, form)
	takeSnapshot(scene.node, 'daily')
	const source = join(tagFolders(scene.node, 'daily')[0]?.path ?? '', DATA)
	const [before, contents] = [statSync(source), readFileSync(source)]
	const refuse = `
const real = fs.linkSync
fs.linkSync = (from, to) => {
	if (/${DATA}$/.test(to)) throw Object.assign(new Error('EMLINK: too many links'), { code: 'EMLINK', errno: -31, syscall: 'link' })
	return real(from, to)
}`
	const [sealed] = objectsOf(await scene.syncWell(['--hardlink', '--json'], { env: inPieces(refuse) }))
	t.like(sealed, { type: 'sealed', state: 'whole', copied: { files: 2 * 4 + 1 }, hardlinked: { files: 2 * 4 + 1 } })
	t.not(statSync(join(mirrored(scene, 'daily'), DATA)).ino, before.ino)
	const { ino, nlink, mtimeMs, ctimeMs } = statSync(source)
	t.deepEqual([ino, nlink, mtimeMs, ctimeMs], [before.ino, before.nlink, before.mtimeMs, before.ctimeMs])
	t.true(readFileSync(source).equals(contents))
	assertMirrored(scene.node, scene.haven)
	trueReceipts(t, scene)
})

test('damage in the last piece of a hard-linked file is found', async (t) => {
	const scene = makeScene(t, form)
	takeSnapshot(scene.node, 'daily')
	const source = join(tagFolders(scene.node, 'daily')[0]?.path ?? '', DATA)
	const fd = openSync(source, 'r+')
	writeSync(fd, 'x', statSync(source).size - 1)
	closeSync(fd)
	const { exitCode, stderr } = await scene.sync(['--hardlink'], { env: inPieces() })
	t.is(exitCode, 3)
	t.regex(stderr, /nb-1-big-Data\.db: its CRC-32 is \d+, and Digest\.crc32 says/)
})

test('a snapshot that is cleared just before its large files are linked leaves nothing behind', async (t) => {
	const scene = makeScene(t, form)
	takeSnapshot(scene.node, 'daily')
	const { path } = tagFolders(scene.node, 'daily')[0] ?? { path: '' }
	const clear = `
const real = fs.linkSync
fs.linkSync = (from, to) => {
	if (/${DATA}$/.test(to)) fs.rmSync(${JSON.stringify(path)}, { recursive: true, force: true })
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
