import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failure, SnaphavenError } from '../errors.ts'
import { steadyMs, uniqueName } from '../files/builtins.ts'
import { createFile } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import { hasCode, type Io, runAsync } from '../files/io.ts'
import { link, lstatIfThere, mkdir, readdir, rename, unlink } from '../files/operations.ts'
import { LEASE_FILE, PARTIAL } from './layout.ts'
import { type Holder, isRunning, thisProcess } from './machine.ts'
import { checkedRecord, recordBytes, withChecksum } from './sealed-text.ts'
import { fields, natural, part, text } from './shapes.ts'

/** How long a lease runs without being renewed, how often it is, and how often one looks whether another's is. */
interface LeaseTimes {
	termMs: number
	renewMs: number
	lookMs: number
}

const TIMES: LeaseTimes = { termMs: 60_000, renewMs: 10_000, lookMs: 1000 }
const LEASE_BYTES_MAX = 64 * 1024

interface LeaseRecord {
	format: 1
	token: string
	holder: Holder
	/** Counts up with each renewal: whoever watches the file sees a live holder by it, whatever the clocks say. */
	renewals: number
}

const isLease = fields({
	// It names a folder that is renamed.
	token: part,
	holder: fields({ host: text, machine: text, boot: text, pidNamespace: text, pid: natural, started: text }),
	renewals: natural,
})

/**
 * The right to write to a haven. All that is published is renamed out of `partial/<token>`; who takes over renames that
 * folder away first, whereupon the rename of a holder that had only been paused finds nothing.
 */
export interface Lease {
	token: string
	/** `.snaphaven/partial/<token>`, relative to the haven. */
	partial: string
	/** What earlier holders left behind, `.snaphaven/partial/…`, out of their reach: to be recovered. */
	inherited: string[]
	/** Throws where another process has taken the haven over. */
	check: () => Promise<void>
	/** For how long, in ms, the haven has not answered the renewal that is under way; 0 where none is. */
	unansweredMs: () => number
	release: () => Promise<void>
}

export interface LeaseOptions {
	/** The haven's opened root, as a path. */
	base: string
	/** The haven's path, for messages. */
	haven: string
	/** Told once when it has to be waited for whether the holder still lives. */
	onWait: (message: string) => void
	signal: AbortSignal
	/** Shorter ones are for tests. */
	times?: LeaseTimes
}

/** Leases of this process, by their tokens, that were not given back: one that could not be removed is held no more. */
const held = new Set<string>()

/** Takes the lease: at once where nobody holds it or its holder is dead; fails where the holder lives. */
export async function takeLease(options: LeaseOptions): Promise<Lease> {
	const { base } = options
	const token = uniqueName().replaceAll('-', '').slice(0, 16)
	const own = `${PARTIAL}/${token}`
	await runAsync(mkdir(`${base}/${own}`, 0o700))
	const mine: LeaseRecord = { format: 1, token, holder: thisProcess(), renewals: 0 }
	try {
		await displace(options, own)
		if (!(await runAsync(claim(base, own, mine)))) throw takenBy(options, await runAsync(readLease(base)))
	} catch (error) {
		await runAsync(removeTree(`${base}/${own}`))
		throw error
	}
	// From here on a failure leaves the lease behind, but given back: this process can take it again.
	const inherited = await runAsync(fence(base, token))
	held.add(token)
	const renewal = keepRenewing(base, own, mine, options.times ?? TIMES)
	return {
		token,
		partial: own,
		inherited,
		check: async () => {
			if ((await runAsync(readLease(base)))?.token !== token) throw lost(options.haven)
		},
		unansweredMs: renewal.unansweredMs,
		release: async () => {
			held.delete(token)
			await renewal.stop()
			await runAsync(letGo(base, token, own))
		},
	}
}

/** Waits until no live process holds the lease, and moves a dead one's out of the way. */
async function displace(options: LeaseOptions, own: string): Promise<void> {
	const { base } = options
	const old = await runAsync(readLease(base))
	if (old === undefined) return
	if (old && !isGivenBack(old)) {
		const running = isRunning(old.holder)
		if (running === 'yes') throw takenBy(options, old)
		if (running === 'unknown') await watchForATerm(options, old)
	} else if (!old) await watchForATerm(options, old)
	// Before the lease is anybody else's: a holder that was only paused finds no way any more to put its own into its place.
	if (old) await runAsync(takeFolder(base, old.token, `${PARTIAL}/${basename(own)}.inherited-0`))
	const grabbed = `${own}/displaced-lease.json`
	try {
		await runAsync(rename(`${base}/${LEASE_FILE}`, `${base}/${grabbed}`))
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return
		throw error
	}
	const taken = await runAsync(readRecord(`${base}/${grabbed}`))
	if (taken && taken.token !== old?.token) {
		await runAsync(rename(`${base}/${grabbed}`, `${base}/${LEASE_FILE}`))
		throw takenBy(options, taken)
	}
}

/** A lease of this very process that it has given back, though the haven did not let it be removed. */
function isGivenBack({ token, holder }: LeaseRecord): boolean {
	return JSON.stringify(holder) === JSON.stringify(thisProcess()) && !held.has(token)
}

/** A holder that can't be seen from here lives if it renews within a term, by our own clock. */
async function watchForATerm(options: LeaseOptions, seen: LeaseRecord | null): Promise<void> {
	const { termMs, lookMs } = options.times ?? TIMES
	const who = seen ? `process ${seen.holder.pid} on ${seen.holder.host}` : 'somebody whose lease can’t be read'
	options.onWait(
		`the haven ${options.haven} is held by ${who}; waiting up to ${termMs / 1000} s to see whether it still lives`,
	)
	const until = steadyMs() + termMs
	while (steadyMs() < until) {
		await sleep(lookMs, undefined, { signal: options.signal })
		const now = await runAsync(readLease(options.base))
		if (now === undefined) return
		if (now?.token !== seen?.token || now?.renewals !== seen?.renewals) throw takenBy(options, now)
	}
}

function takenBy({ haven }: LeaseOptions, record: LeaseRecord | null | undefined) {
	const who = record ? `process ${record.holder.pid} on ${record.holder.host}` : 'another process'
	return failure(
		`the haven ${haven} is being written by ${who}`,
		'One process writes to a haven at a time: wait until it ends, or stop it.',
	)
}

function lost(haven: string) {
	return new SnaphavenError(`another process has taken over the haven ${haven}`, {
		exitCode: 1,
		hint: 'What was sealed is safe; the rest is for the other process. See that only one snaphaven serves a haven.',
		ofHaven: true,
	})
}

/**
 * Makes the lease ours, unless another was quicker. Its bytes are durable before its name is: after a power cut one that
 * can't be read would have to be waited for.
 */
function* claim(base: string, own: string, mine: LeaseRecord): Io<boolean> {
	const draft = `${base}/${own}/lease.json`
	try {
		yield* createFile(draft, withChecksum(JSON.stringify(mine)), { mode: 0o644, flush: true })
	} catch (error) {
		// Another has the lease by now, and has fenced us off.
		if (hasCode(error, 'ENOENT')) return false
		throw error
	}
	try {
		yield* link(draft, `${base}/${LEASE_FILE}`)
	} catch (error) {
		if (hasCode(error, 'EEXIST', 'ENOENT')) return false
		// No hard links here: an exclusive create decides, which is atomic but may be torn by a crash.
		try {
			yield* createFile(`${base}/${LEASE_FILE}`, withChecksum(JSON.stringify(mine)), { mode: 0o644, flush: true })
		} catch (again) {
			if (hasCode(again, 'EEXIST')) return false
			throw again
		}
	}
	yield* unlink(draft)
	return true
}

/**
 * Renames all that earlier holders left out of their reach: new paths, relative to the haven. Contenders that give up
 * rename and remove meanwhile, so it looks until nothing is there but its own.
 */
function* fence(base: string, token: string): Io<string[]> {
	const tried = new Set<string>()
	for (;;) {
		const names = yield* readdir(`${base}/${PARTIAL}`)
		const others = names.filter((name) => name !== token && !name.startsWith(`${token}.`) && !tried.has(name))
		if (others.length === 0)
			return names.filter((name) => name.startsWith(`${token}.`)).map((name) => `${PARTIAL}/${name}`)
		for (const name of others) {
			tried.add(name)
			yield* takeFolder(base, name, `${PARTIAL}/${token}.inherited-${tried.size}`)
		}
	}
}

/** Renames a folder of partial; one that is gone is no error. */
function* takeFolder(base: string, name: string, to: string): Io<void> {
	try {
		yield* rename(`${base}/${PARTIAL}/${name}`, `${base}/${to}`)
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
}

function keepRenewing(
	base: string,
	own: string,
	mine: LeaseRecord,
	{ renewMs }: LeaseTimes,
): { stop: () => Promise<void>; unansweredMs: () => number } {
	let running: Promise<void> | undefined
	let begunMs = 0
	const timer = setInterval(() => {
		// A haven that hangs is not sent a second one on top.
		if (running) return
		begunMs = steadyMs()
		running = runAsync(renew(base, own, { ...mine, renewals: ++mine.renewals }))
			.catch(() => {})
			.finally(() => {
				running = undefined
			})
	}, renewMs)
	timer.unref()
	return {
		unansweredMs: () => (running ? steadyMs() - begunMs : 0),
		stop: async () => {
			clearInterval(timer)
			await running
		},
	}
}

/** A renewal goes through partial/<token> as all else does, so that it fails once that is taken away. */
export function* renew(base: string, own: string, record: LeaseRecord): Io<void> {
	const draft = `${base}/${own}/renewal.json`
	// What an attempt has left that failed, on a haven that is full.
	if (yield* lstatIfThere(draft)) yield* unlink(draft)
	yield* createFile(draft, withChecksum(JSON.stringify(record)), { mode: 0o644, flush: true })
	yield* rename(draft, `${base}/${LEASE_FILE}`)
}

/**
 * Gives the lease back, by a rename into our own folder: whoever takes over renames that away first, so that a holder
 * that wakes in between leaves the other's lease alone. An intent that could not be brought to its end stays for the next
 * holder, as does what was gathered of a large snapshot.
 */
export function* letGo(base: string, token: string, own: string): Io<void> {
	const names = (yield* lstatIfThere(`${base}/${own}`)) ? yield* readdir(`${base}/${own}`) : []
	const isLeft = names.some((name) => /^(group|live|removal)-\d+\.json$|\.progress$/.test(name))
	if (!isLeft) for (const name of names) yield* removeTree(`${base}/${own}/${name}`)
	const released = `${base}/${own}/lease.json`
	try {
		if ((yield* readLease(base))?.token === token) yield* rename(`${base}/${LEASE_FILE}`, released)
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
	yield* removeTree(isLeft ? released : `${base}/${own}`)
}

/** undefined where there is no lease, null where it can't be understood. */
export function readLease(base: string): Io<LeaseRecord | null | undefined> {
	return readRecord(`${base}/${LEASE_FILE}`)
}

function* readRecord(path: string): Io<LeaseRecord | null | undefined> {
	const bytes = yield* recordBytes(path, LEASE_BYTES_MAX)
	return bytes && (checkedRecord<LeaseRecord>(bytes, isLease) ?? null)
}
