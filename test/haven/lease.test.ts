import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { LEASE_FILE, PARTIAL } from '../../src/haven/layout.ts'
import { type LeaseOptions, letGo, renew, takeLease } from '../../src/haven/lease.ts'
import { type Holder, isRunning, thisProcess } from '../../src/haven/machine.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'
import { drive } from './support/steps.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'
const times = { termMs: 400, renewMs: 20, lookMs: 20 }

/** A haven's folders, and the options to take its lease with. */
function makeHaven(t: ExecutionContext): LeaseOptions & { waits: string[] } {
	const base = ownFolder(t)
	mkdirSync(join(base, PARTIAL), { recursive: true })
	const waits: string[] = []
	const { signal } = new AbortController()
	return { base, haven: '/mnt/nas', onWait: (message) => waits.push(message), signal, times, waits }
}

/** A process that holds the lease; its token. */
async function startHolder(t: ExecutionContext, base: string, flags: string[] = []) {
	const child = execa(nodeBinary, [...flags, join(import.meta.dirname, 'support/holder.ts'), base], { reject: false })
	t.teardown(() => child.kill('SIGKILL'))
	const token = await new Promise<string>((resolve) =>
		child.stdout.once('data', (text) => resolve(String(text).trim())),
	)
	return { child, token }
}

function leave(base: string, holder: Partial<Holder>, renewals = 0) {
	const record = { format: 1 as const, token: 'theirs', holder: { ...thisProcess(), ...holder }, renewals }
	writeFileSync(join(base, `${LEASE_FILE}.new`), withChecksum(JSON.stringify(record)))
	renameSync(join(base, `${LEASE_FILE}.new`), join(base, LEASE_FILE))
	return record
}

function tokenIn(base: string): string | undefined {
	const path = join(base, LEASE_FILE)
	return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).token : undefined
}

const elsewhere = { machine: 'another', host: 'node7', pid: 4711 }

test('a lease is taken, renewed and given back, and leaves nothing', async (t) => {
	const haven = makeHaven(t)
	const lease = await takeLease(haven)
	t.is(tokenIn(haven.base), lease.token)
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), [lease.token])
	const renewals = () => JSON.parse(readFileSync(join(haven.base, LEASE_FILE), 'utf8')).renewals
	while (renewals() < 3) await new Promise((resolve) => setTimeout(resolve, 10))
	await t.notThrowsAsync(lease.check())
	await lease.release()
	t.is(tokenIn(haven.base), undefined)
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), [])
})

test('a second writer is refused with the first one’s pid and host, and changes nothing', async (t) => {
	const haven = makeHaven(t)
	const { child, token } = await startHolder(t, haven.base)
	const error = await t.throwsAsync(takeLease(haven))
	t.is(error?.message, `the haven /mnt/nas is being written by process ${child.pid} on ${hostname()}`)
	t.like(error, { exitCode: 1 })
	t.is(tokenIn(haven.base), token)
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), [token])
	t.deepEqual(haven.waits, [])
})

test('a holder that was killed is taken over without waiting, and what it left is inherited', async (t) => {
	const haven = makeHaven(t)
	const { child, token } = await startHolder(t, haven.base)
	writeFileSync(join(haven.base, PARTIAL, token, 'group-0.json'), 'left')
	child.kill('SIGKILL')
	await child
	const lease = await takeLease(haven)
	t.deepEqual(haven.waits, [])
	t.is(lease.inherited.length, 1)
	t.is(readFileSync(join(haven.base, lease.inherited[0] ?? '', 'group-0.json'), 'utf8'), 'left')
	t.false(existsSync(join(haven.base, PARTIAL, token)), 'it would still be in the reach of a paused holder')
	await lease.release()
	t.is(tokenIn(haven.base), undefined)
})

test('a holder on another machine that renews is refused, by name', async (t) => {
	const haven = makeHaven(t)
	let renewals = 0
	leave(haven.base, elsewhere)
	const renewing = setInterval(() => leave(haven.base, elsewhere, ++renewals), 20)
	t.teardown(() => clearInterval(renewing))
	// A term that no busy machine lets pass between two renewals.
	await t.throwsAsync(takeLease({ ...haven, times: { ...times, termMs: 60_000 } }), {
		message: 'the haven /mnt/nas is being written by process 4711 on node7',
	})
	t.regex(haven.waits.join(), /is held by process 4711 on node7; waiting up to 60 s/)
	t.is(tokenIn(haven.base), 'theirs')
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), [])
})

test('a holder on another machine that does not renew within the term is taken over', async (t) => {
	const haven = makeHaven(t)
	leave(haven.base, elsewhere)
	const lease = await takeLease(haven)
	t.is(haven.waits.length, 1)
	t.is(tokenIn(haven.base), lease.token)
	await lease.release()
})

test('a lease that can’t be read is waited for too', async (t) => {
	const haven = makeHaven(t)
	writeFileSync(join(haven.base, LEASE_FILE), '{"torn')
	const lease = await takeLease(haven)
	t.regex(haven.waits.join(), /somebody whose lease can’t be read/)
	await lease.release()
})

test('one that is given back while it is waited for is taken at once', async (t) => {
	const haven = makeHaven(t)
	leave(haven.base, elsewhere)
	const taking = takeLease({ ...haven, times: { ...times, termMs: 60_000 } })
	setTimeout(() => renameSync(join(haven.base, LEASE_FILE), join(haven.base, 'gone')), 50)
	await (await taking).release()
	t.pass()
})

test('waiting ends when the run is to end, and leaves nothing', async (t) => {
	const haven = makeHaven(t)
	leave(haven.base, elsewhere)
	const controller = new AbortController()
	const taking = takeLease({ ...haven, signal: controller.signal, times: { ...times, termMs: 60_000 } })
	setTimeout(() => controller.abort(), 30)
	await t.throwsAsync(taking, { name: 'AbortError' })
	t.is(tokenIn(haven.base), 'theirs')
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), [])
})

test('of many that start at once just one gets the lease, and the others say who has it', async (t) => {
	const haven = makeHaven(t)
	const taken = await Promise.allSettled(Array.from({ length: 12 }, () => takeLease(haven)))
	const leases = taken.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
	t.is(leases.length, 1)
	for (const one of taken) {
		if (one.status === 'rejected') t.regex(one.reason.message, /is being written by (process|another)/)
	}
	t.is(tokenIn(haven.base), leases[0]?.token)
	await t.notThrowsAsync(leases[0]?.check() ?? Promise.reject())
	const left = readdirSync(join(haven.base, PARTIAL)).map((name) => `${PARTIAL}/${name}`)
	t.deepEqual(left.sort(), [leases[0]?.partial, ...(leases[0]?.inherited ?? [])].sort())
	await leases[0]?.release()
})

test('one whose folder was taken away while it waited says who was quicker', async (t) => {
	const haven = makeHaven(t)
	leave(haven.base, elsewhere)
	const fence = () => {
		const [own = ''] = readdirSync(join(haven.base, PARTIAL))
		renameSync(join(haven.base, PARTIAL, own), join(haven.base, PARTIAL, 'theirs.inherited-0'))
	}
	await t.throwsAsync(takeLease({ ...haven, onWait: fence }), { message: /is being written by process 4711 on node7/ })
	t.is(tokenIn(haven.base), 'theirs')
})

test('a holder that was taken over notices, stops renewing, and gives back nothing of the other’s', async (t) => {
	const haven = makeHaven(t)
	const lease = await takeLease(haven)
	renameSync(join(haven.base, PARTIAL, lease.token), join(haven.base, PARTIAL, 'other.inherited-0'))
	leave(haven.base, elsewhere)
	await t.throwsAsync(lease.check(), { message: 'another process has taken over the haven /mnt/nas' })
	await new Promise((resolve) => setTimeout(resolve, 5 * times.renewMs))
	t.is(tokenIn(haven.base), 'theirs')
	await t.notThrowsAsync(lease.release())
	t.is(tokenIn(haven.base), 'theirs')
	t.deepEqual(readdirSync(join(haven.base, PARTIAL)), ['other.inherited-0'])
})

for (const what of ['renews', 'gives back'] as const) {
	test(`a holder that ${what} the lease, pauses at any call and wakes after a take-over, leaves the other’s alone`, async (t) => {
		for (let calls = 0; ; calls++) {
			const haven = makeHaven(t)
			const own = join(PARTIAL, 'theirs')
			mkdirSync(join(haven.base, own))
			const record = leave(haven.base, elsewhere)
			const renewing = () => renew(haven.base, own, { ...record, renewals: 1 })
			const paused = drive(what === 'renews' ? renewing() : letGo(haven.base, 'theirs', own))
			const ran = paused.run(calls)
			const lease = await takeLease({ ...haven, times: { ...times, termMs: 1, lookMs: 1 } })
			paused.run()
			t.is(tokenIn(haven.base), lease.token, `after ${calls} calls`)
			await t.notThrowsAsync(lease.check())
			await lease.release()
			if ('done' in ran && ran.done) return
		}
	})
}

test('who takes over puts the old holder’s folder out of its reach before the lease is its own', async (t) => {
	const haven = makeHaven(t)
	const { child, token } = await startHolder(t, haven.base)
	child.kill('SIGKILL')
	await child
	const seen = join(haven.base, 'seen')
	const look = `const fs = process.getBuiltinModule('node:fs')
		const { link } = fs
		fs.link = (...args) => {
			fs.writeFileSync(${JSON.stringify(seen)}, String(fs.existsSync(${JSON.stringify(join(haven.base, PARTIAL, token))})))
			return link(...args)
		}`
	await startHolder(t, haven.base, [`--import=data:text/javascript,${encodeURIComponent(look)}`])
	t.is(readFileSync(seen, 'utf8'), 'false')
})

test('what has an intent or notes of progress is left for the next holder', async (t) => {
	for (const name of ['group-3.json', 'live-3.json', 'removal-3.json', '7.progress']) {
		const haven = makeHaven(t)
		const lease = await takeLease(haven)
		writeFileSync(join(haven.base, lease.partial, name), '{}')
		await lease.release()
		t.is(tokenIn(haven.base), undefined)
		const next = await takeLease(haven)
		t.is(next.inherited.length, 1)
		t.true(existsSync(join(haven.base, next.inherited[0] ?? '', name)))
		await next.release()
	}
})

test('a process is known to run, or not, only where it can be seen', async (t) => {
	const me = thisProcess()
	t.is(isRunning(me), 'yes')
	t.is(isRunning({ ...me, started: '1' }), 'no', 'its pid was used again')
	t.is(isRunning({ ...me, boot: 'an earlier one' }), 'no')
	t.is(isRunning({ ...me, pidNamespace: 'pid:[1]' }), 'unknown')
	t.is(isRunning({ ...me, machine: 'another' }), 'unknown')
	t.is(isRunning({ ...me, host: 'a clone', boot: 'its own' }), 'unknown')
	const child = execa('sleep', ['60'], { reject: false })
	const [, fields = ''] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')
	const theirs = { ...me, pid: child.pid ?? 0, started: fields.split(' ')[19] ?? '' }
	t.is(isRunning(theirs), 'yes')
	child.kill('SIGSTOP')
	t.is(isRunning(theirs), 'yes', 'it is only paused')
	child.kill('SIGKILL')
	await child
	t.is(isRunning(theirs), 'no')
})

testWhere(notRoot, 'a lease that was taken, but not all of it, can be taken again by the same process', async (t) => {
	const haven = makeHaven(t)
	// What can't be renamed: a mount.
	const left = join(haven.base, PARTIAL, 'left')
	mkdirSync(left)
	await execa('mount', ['-t', 'tmpfs', 'tmpfs', left])
	t.teardown(() => execa('umount', ['--lazy', left], { reject: false }))
	await t.throwsAsync(takeLease(haven), { code: 'EBUSY' })
	await execa('umount', [left])
	const lease = await takeLease(haven)
	t.is(tokenIn(haven.base), lease.token)
	await lease.release()
	t.false(existsSync(join(haven.base, LEASE_FILE)))
})
