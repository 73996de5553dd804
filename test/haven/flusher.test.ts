import {
	chmodSync,
	closeSync,
	constants,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { makeFlusher } from '../../src/haven/flusher.ts'
import { nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { until } from '../watch/support/watching.ts'

/** A folder, and a `sync` in PATH that notes its begin and its end, and does what `what` says between. */
function placeWith(t: ExecutionContext, what: string) {
	const place = ownFolder(t)
	const log = join(place, 'log')
	const sync = join(place, 'sync')
	writeFileSync(sync, `#!/bin/sh\necho "begun $1" >> ${log}\n${what}\necho ended >> ${log}\n`)
	chmodSync(sync, 0o755)
	const folder = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY)
	const before = process.env['PATH']
	process.env['PATH'] = `${place}:${before}`
	t.teardown(() => {
		process.env['PATH'] = before
		closeSync(folder)
	})
	const said = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [])
	return { place, folder, said }
}

/** The shells that hold this folder as what they flush. */
function holders(place: string): number[] {
	return readdirSync('/proc')
		.filter((pid) => /^\d+$/.test(pid))
		.filter((pid) => {
			try {
				const isShell = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('while read -r _')
				return isShell && readlinkSync(`/proc/${pid}/fd/3`) === place
			} catch {
				return false
			}
		})
		.map(Number)
}

test.serial('a flush ends when sync has ended, and each has one that began after it was asked for', async (t) => {
	const { folder, said } = placeWith(t, 'sleep 0.2')
	const flusher = makeFlusher(folder)
	const first = flusher.flush()
	await until('sync has begun', () => said().length === 1)
	const second = flusher.flush()
	await first
	t.deepEqual(said().slice(0, 2), ['begun -f', 'ended'])
	await second
	t.deepEqual(said(), ['begun -f', 'ended', 'begun -f', 'ended'])
	await flusher.close()
})

test.serial('those that were asked for while one is at work share the next', async (t) => {
	const { folder, said } = placeWith(t, 'sleep 0.2')
	const flusher = makeFlusher(folder)
	const first = flusher.flush()
	await until('sync has begun', () => said().length === 1)
	await Promise.all([first, flusher.flush(), flusher.flush()])
	t.deepEqual(said(), ['begun -f', 'ended', 'begun -f', 'ended'])
	await flusher.close()
})

test.serial('what sync says of a failure is told to all that were asked for by then, and to none after', async (t) => {
	const { place, folder, said } = placeWith(
		t,
		`[ -e "$0.fails" ] && { echo 'sync: it ended 0' >&2; echo 'Input/output error' >&2; exit 1; }`,
	)
	const flusher = makeFlusher(folder)
	writeFileSync(join(place, 'sync.fails'), '')
	const asked = [flusher.flush(), flusher.flush()]
	const message = /could not be flushed to stable storage: sync: it ended 0\nInput\/output error$/
	for (const flush of asked) await t.throwsAsync(flush, { message })
	t.deepEqual(said(), ['begun -f'])
	t.is(flusher.failures(), 1)
	rmSync(join(place, 'sync.fails'))
	await t.notThrowsAsync(flusher.flush())
	t.is(flusher.failures(), 1)
	await flusher.close()
})

test.serial('a flush whose shell is killed fails; the next has a new one', async (t) => {
	const { place, folder, said } = placeWith(t, 'sleep 0.3')
	const flusher = makeFlusher(folder)
	const flush = t.throwsAsync(flusher.flush(), { message: /could not be flushed .* ended with SIGKILL/ })
	await until('sync has begun', () => said().length === 1)
	for (const pid of holders(place)) process.kill(pid, 'SIGKILL')
	await flush
	await t.notThrowsAsync(flusher.flush())
	await flusher.close()
})

test.serial('signals for the process group, as Ctrl-C sends them, end no flush', async (t) => {
	const { place, folder, said } = placeWith(t, 'sleep 0.3')
	const flusher = makeFlusher(folder)
	const flush = flusher.flush()
	await until('sync has begun', () => said().length === 1)
	const [shell = 0] = holders(place)
	const { stdout: sync } = await execa`pgrep -P ${shell}`
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
		process.kill(shell, signal)
		process.kill(Number(sync), signal)
	}
	await t.notThrowsAsync(flush)
	await flusher.close()
})

test.serial('nothing holds the folder any more once it is closed', async (t) => {
	const { place, folder } = placeWith(t, '')
	const flusher = makeFlusher(folder)
	await flusher.flush()
	t.is(holders(place).length, 1)
	await flusher.close()
	t.deepEqual(holders(place), [])
	await flusher.close()
	await t.throwsAsync(flusher.flush(), { message: /closed/ })
	t.deepEqual(holders(place), [])
})

test.serial('a process that has flushed ends by itself, and its shell with it, also where it is killed', async (t) => {
	const { place } = placeWith(t, '')
	const program = (end: string) => `
		import { openSync } from 'node:fs'
		import { makeFlusher } from '${join(import.meta.dirname, '../../src/haven/flusher.ts')}'
		await makeFlusher(openSync(${JSON.stringify(place)}, 'r')).flush()
		${end}`
	const run = (end: string) =>
		execa({ reject: false, timeout: 30_000 })`${nodeBinary} --input-type=module -e ${program(end)}`
	t.is((await run('')).exitCode, 0)
	await until('its shell has ended', () => holders(place).length === 0)
	t.is((await run("process.kill(process.pid, 'SIGKILL')")).signal, 'SIGKILL')
	await until('its shell has ended', () => holders(place).length === 0)
	t.pass()
})
