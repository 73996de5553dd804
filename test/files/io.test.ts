import { closeSync, constants, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import { createFile } from '../../src/files/contents.ts'
import { below, itself } from '../../src/files/folders.ts'
import { codeOf, each, hasCode, type Io, runAsync, runSync } from '../../src/files/io.ts'
import { lstatIfThere, mkdir, open, stat, unlink, withOpen } from '../../src/files/operations.ts'
import { memory, ownFolder } from '../support/folder.ts'

/** Runs work in both ways: each test here holds for either. */
const ways = [
	['synchronous', async <T>(io: Io<T>) => runSync(io)],
	['asynchronous', <T>(io: Io<T>) => runAsync(io)],
] as const

type Run = (typeof ways)[number][1]

function inBothWays(title: string, body: (t: ExecutionContext, run: Run) => Promise<void>): void {
	for (const [way, run] of ways) test(`${title} (${way})`, (t) => body(t, run))
}

inBothWays('work gets the results of its calls, and a failed one as an exception it can catch', async (t, run) => {
	const folder = ownFolder(t)
	function* work(): Io<string> {
		yield* mkdir(`${folder}/a`, 0o700)
		try {
			yield* mkdir(`${folder}/a`, 0o700)
		} catch (error) {
			return codeOf(error) ?? 'no code'
		}
		return 'no error'
	}
	t.is(await run(work()), 'EEXIST')
	t.is((await run(lstatIfThere(`${folder}/a`)))?.isDirectory(), true)
	t.is(await run(lstatIfThere(`${folder}/b`)), undefined)
	await t.throwsAsync(async () => run(unlink(`${folder}/b`)), { code: 'ENOENT' })
})

inBothWays('each gives results in order, and throws the first failure', async (t, run) => {
	const folder = ownFolder(t)
	function* make(name: string): Io<string> {
		yield* mkdir(`${folder}/${name}`, 0o700)
		return name
	}
	t.deepEqual(await run(each(['a', 'b', 'c', 'd'], 2, make)), ['a', 'b', 'c', 'd'])
	await t.throwsAsync(async () => run(each(['e', 'a', 'f'], 1, make)), { code: 'EEXIST' })
	t.deepEqual(readdirSync(folder).sort(), ['a', 'b', 'c', 'd', 'e'])
})

inBothWays('a file is closed whatever happens in the work with it', async (t, run) => {
	const folder = ownFolder(t)
	function* fail(fd: number): Io<void> {
		t.is((yield* stat(fd)).isDirectory(), true)
		t.true(isOpen(folder))
		throw new Error('in the middle')
	}
	await t.throwsAsync(async () => run(withOpen(folder, 0, fail)), { message: 'in the middle' })
	t.false(isOpen(folder))
})

function isOpen(path: string): boolean {
	return readdirSync('/proc/self/fd').some((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`) === path
		} catch {
			return false
		}
	})
}

test('with calls in flight side by side, all that was begun has ended before a failure is thrown', async (t) => {
	const folder = mkdtempSync(`${memory}/snaphaven-test-`)
	t.teardown(() => rmSync(folder, { recursive: true, force: true }))
	let running = 0
	let most = 0
	function* work(name: number): Io<void> {
		running += 1
		most = Math.max(most, running)
		try {
			yield* createFile(`${folder}/${name}`, 'x', { mode: 0o600, flush: false })
			if (name === 3) yield* open(`${folder}/missing`, 0)
		} finally {
			running -= 1
		}
	}
	await t.throwsAsync(runAsync(each([...Array(40).keys()], 4, work)), { code: 'ENOENT' })
	t.is(running, 0)
	t.is(most, 4)
	t.true(readdirSync(folder).length < 40)
})

test('only a failed system call has a code', (t) => {
	t.true(hasCode(Object.assign(new Error(''), { code: 'ENOENT' }), 'ENOENT', 'EIO'))
	t.false(hasCode(Object.assign(new Error(''), { code: 'ENOENT' }), 'EIO'))
	t.is(codeOf(new DOMException('aborted', 'AbortError')), undefined)
	t.is(codeOf(Object.assign(new Error(''), { code: 'ABORT_ERR' })), undefined)
	t.is(codeOf(Object.assign(new Error(''), { code: 'ERR_OUT_OF_RANGE' })), undefined)
	t.is(codeOf('ENOENT'), undefined)
})

test('a failed system call that Node has no name for has the kernel’s', (t) => {
	// As Node makes them: of most calls, and of writeSync.
	const unnamed = (number: number) => {
		const code = `Unknown system error -${number}`
		return Object.assign(new Error(`${code}: ${code}, open 'x'`), { code, errno: -number })
	}
	const unnamedWrite = Object.assign(new Error('UNKNOWN: unknown error, write'), { code: 'UNKNOWN', errno: -122 })
	t.true(hasCode(unnamedWrite, 'EDQUOT'))
	t.is(unnamedWrite.message, 'EDQUOT: disk quota exceeded, write')
	for (const [number, code, message] of [
		[116, 'ESTALE', "ESTALE: stale file handle, open 'x'"],
		[122, 'EDQUOT', "EDQUOT: disk quota exceeded, open 'x'"],
		[117, 'EUCLEAN', "EUCLEAN: the file system’s structure needs cleaning, open 'x'"],
		[37, 'ENOLCK', "ENOLCK: system error 37, open 'x'"],
		[4711, 'E4711', "E4711: system error 4711, open 'x'"],
	] as const) {
		const error = unnamed(number)
		t.true(hasCode(error, code))
		t.is(error.message, message)
	}
})

test('a failed system call names what is below an opened folder by its name there', (t) => {
	const folder = openSync(tmpdir(), constants.O_RDONLY)
	t.teardown(() => closeSync(folder))
	for (const [work, message] of [
		[open(below(folder, 'nothing/here'), constants.O_RDONLY), "ENOENT: no such file or directory, open 'nothing/here'"],
		[open(itself(folder), constants.O_WRONLY), "EISDIR: illegal operation on a directory, open '.'"],
	] as const) {
		t.throws(() => runSync(work), { message })
	}
})
