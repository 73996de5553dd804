import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createFile, READ, readWhole } from '../../src/files/contents.ts'
import {
	below,
	FOLDER,
	flushFolder,
	itself,
	namesIn,
	openFolder,
	openFolderIfThere,
	removeTree,
} from '../../src/files/folders.ts'
import { runAsync, runSync } from '../../src/files/io.ts'
import { decodeName, pathOf } from '../../src/files/names.ts'
import { close, open, withOpen } from '../../src/files/operations.ts'
import { ownFolder } from '../support/folder.ts'

const odd = decodeName(Buffer.from([0xff, 0x0a]))

test('an opened folder stays that folder, wherever its path leads later', (t) => {
	const folder = ownFolder(t)
	for (const name of ['a', 'b']) mkdirSync(join(folder, name))
	writeFileSync(join(folder, 'a/file'), 'of a')
	writeFileSync(join(folder, 'b/file'), 'of b')
	const fd = runSync(open(join(folder, 'a'), FOLDER))
	renameSync(join(folder, 'a'), join(folder, 'elsewhere'))
	symlinkSync('b', join(folder, 'a'))
	t.is(readFileSync(below(fd, 'file'), 'utf8'), 'of a')
	runSync(close(fd))
})

test('a folder that is a link is not opened, and neither is a file that is one', (t) => {
	const folder = ownFolder(t)
	mkdirSync(join(folder, 'a'))
	writeFileSync(join(folder, 'file'), 'x')
	symlinkSync('a', join(folder, 'link'))
	symlinkSync('file', join(folder, 'file-link'))
	runSync(
		withOpen(folder, FOLDER, function* (fd) {
			t.throws(() => runSync(openFolder(fd, 'link')), { code: 'ENOTDIR' })
			t.is(yield* openFolderIfThere(fd, 'nothing'), undefined)
			t.throws(() => runSync(open(below(fd, 'file-link'), READ)), { code: 'ELOOP' })
		}),
	)
})

test('names in a folder are exact, also where they are no UTF-8', (t) => {
	const folder = ownFolder(t)
	for (const name of ['plain', 'sign \ufffd', odd]) writeFileSync(pathOf(`${folder}/${name}`), '')
	t.deepEqual(runSync(withOpen(folder, FOLDER, namesIn)).sort(), ['plain', 'sign \ufffd', odd].sort())
})

test('a tree is removed with all that is in it, and nothing that a link leads to', async (t) => {
	const folder = ownFolder(t)
	mkdirSync(join(folder, 'kept'))
	writeFileSync(join(folder, 'kept/file'), 'x')
	for (const [turn, run] of [runSync, runAsync].entries()) {
		const tree = join(folder, `tree-${turn}`)
		mkdirSync(join(tree, 'inner/deep'), { recursive: true })
		writeFileSync(pathOf(`${tree}/inner/deep/${odd}`), '')
		symlinkSync(join(folder, 'kept'), join(tree, 'inner/link'))
		await run(removeTree(tree))
		t.false(existsSync(tree))
	}
	t.deepEqual(readdirSync(join(folder, 'kept')), ['file'])
	t.notThrows(() => runSync(removeTree(join(folder, 'nothing'))))
})

test('a folder of any name can be flushed', (t) => {
	const folder = ownFolder(t)
	mkdirSync(pathOf(`${folder}/${odd}`))
	t.notThrows(() => runSync(flushFolder(`${folder}/${odd}`)))
	symlinkSync(folder, join(folder, 'link'))
	t.notThrows(() => runSync(flushFolder(join(folder, 'link'))))
	t.notThrows(() => runSync(withOpen(folder, FOLDER, (fd) => flushFolder(itself(fd)))))
	t.throws(() => runSync(flushFolder(`${folder}/nothing`)), { code: 'ENOENT' })
})

test('reading whole stops at what is no file, and at what is too large', (t) => {
	const folder = ownFolder(t)
	execFileSync('mkfifo', [join(folder, 'fifo')])
	writeFileSync(join(folder, 'file'), '12345')
	t.throws(() => runSync(readWhole(join(folder, 'fifo'), 10)), { code: 'EINVAL' })
	t.throws(() => runSync(readWhole(join(folder, 'file'), 4)), { instanceOf: RangeError })
	t.is(runSync(readWhole(join(folder, 'file'), 5)).toString(), '12345')
})

test('a file is made only where nothing is, not even a link', (t) => {
	const folder = ownFolder(t)
	symlinkSync('target', join(folder, 'link'))
	writeFileSync(join(folder, 'file'), 'old')
	for (const name of ['file', 'link']) {
		t.throws(() => runSync(createFile(join(folder, name), 'new', { mode: 0o600, flush: true })), { code: 'EEXIST' })
	}
	t.deepEqual(readdirSync(folder).sort(), ['file', 'link'])
	t.is(readFileSync(join(folder, 'file'), 'utf8'), 'old')
})
