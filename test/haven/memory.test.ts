import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { recallHaven, rememberHaven } from '../../src/haven/memory.ts'

async function stateDirectory(t: ExecutionContext): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-memory-'))
	t.teardown(() => rm(folder, { recursive: true, force: true }))
	return join(folder, 'not/there/yet')
}

test('havens are remembered each by its path, and nothing but the memory is left', async (t) => {
	const directory = await stateDirectory(t)
	t.is(await recallHaven(directory, '/nas/a'), undefined)
	await rememberHaven(directory, '/nas/a', 'one')
	await rememberHaven(directory, '/nas/b', 'two')
	await rememberHaven(directory, '/nas/a', 'three')
	t.is(await recallHaven(directory, '/nas/a'), 'three')
	t.is(await recallHaven(directory, '/nas/b'), 'two')
	t.deepEqual(await readdir(directory), ['havens.json'])
})

test('a memory that is cut off counts as none, and is made anew', async (t) => {
	const directory = await stateDirectory(t)
	await rememberHaven(directory, '/nas/a', 'one')
	await writeFile(join(directory, 'havens.json'), '{"/nas/a": "o')
	t.is(await recallHaven(directory, '/nas/a'), undefined)
	await rememberHaven(directory, '/nas/a', 'one')
	t.is(await recallHaven(directory, '/nas/a'), 'one')
})

test('a reader never meets a memory that is half written', async (t) => {
	const directory = await stateDirectory(t)
	const id = 'x'.repeat(2_000_000)
	await rememberHaven(directory, '/nas/a', id)
	let writing = true
	const write = async () => {
		for (let turn = 0; turn < 10; turn++) await rememberHaven(directory, '/nas/a', id + turn)
		writing = false
	}
	const read = async () => {
		while (writing) t.true((await recallHaven(directory, '/nas/a'))?.startsWith(id))
	}
	await Promise.all([write(), read()])
})
