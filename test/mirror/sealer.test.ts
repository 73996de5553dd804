import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { SnaphavenError } from '../../src/errors.ts'
import { runAsync } from '../../src/files/io.ts'
import { openHaven } from '../../src/haven/haven.ts'
import { gathering, receiptPath, snapshotFolder, snapshotsFolder } from '../../src/haven/layout.ts'
import { takeLease } from '../../src/haven/lease.ts'
import { makePlaces } from '../../src/haven/places.ts'
import { checksumOf, withChecksum } from '../../src/haven/sealed-text.ts'
import { keepCheckpoints } from '../../src/mirror/checkpoints.ts'
import { type Engine, start } from '../../src/mirror/engine.ts'
import type { Gathered, GatherOrder } from '../../src/mirror/gather-order.ts'
import type { Pass, Writing } from '../../src/mirror/pass.ts'
import { makeSealer } from '../../src/mirror/sealer.ts'
import { makeTrial } from '../../src/mirror/trial.ts'
import { ownFolder } from '../support/folder.ts'

type Before = (job: string, nth: number) => Promise<void> | undefined

/** A sealer over a real haven; `before` is called before each job, with how many of its name there were. */
async function makeScene(t: ExecutionContext, before: Before = () => undefined) {
	const own = ownFolder(t)
	const haven = await openHaven({
		...{ path: join(own, 'haven'), dataDirectories: [join(own, 'data')], stateDirectory: join(own, 'state') },
		...{ newHaven: false, takeOver: false, requireMount: false, warn: () => {} },
	})
	const { signal } = new AbortController()
	const lease = await takeLease({ base: haven.base, haven: haven.path, onWait: () => {}, signal })
	t.teardown(async () => {
		await lease.release()
		await haven.close()
	})
	const jobs: string[] = []
	const engine: Engine = {
		run: async (name, ...args) => {
			const nth = jobs.filter((job) => job === `${name} begins`).length
			jobs.push(`${name} begins`)
			try {
				await before(name, nth)
				return (await runAsync(start(name, args))) as never
			} finally {
				jobs.push(`${name} ends`)
			}
		},
		slices: 1,
		width: 1,
	}
	const gather = async (number: number): Promise<Gathered> => {
		const key = { keyspace: 'ks', table: `t${number}`, tag: 'daily' }
		const receipt = withChecksum(JSON.stringify(key))
		await runAsync(makePlaces(haven.base, key))
		mkdirSync(join(haven.path, gathering.folder(lease.partial, number)))
		writeFileSync(join(haven.path, gathering.receipt(lease.partial, number)), receipt)
		const none = { files: 0, bytes: 0 }
		return {
			publication: { number, key, receiptChecksum: checksumOf(receipt) },
			state: 'whole',
			damage: [],
			amounts: { copied: none, hardlinked: none, reflinked: none, reused: none },
			leftOut: [],
			bytes: 0,
			inSlices: false,
			flushFailures: haven.flushFailures(),
		}
	}
	const sealer = makeSealer({ haven, lease, engine, trial: makeTrial({ haven, lease }) })
	return { haven, lease, jobs, engine, gather, sealer }
}

/** Something stands where the table's snapshots are to be. */
function block(haven: string, { publication: { key } }: Gathered): void {
	rmSync(join(haven, snapshotsFolder(key)), { recursive: true })
	writeFileSync(join(haven, snapshotsFolder(key)), 'a file in its place')
}

async function reasonOf(sealed: Promise<unknown>): Promise<unknown> {
	return await sealed.then(
		() => undefined,
		(error: unknown) => error,
	)
}

/** A `sync` before the system's own, which fails as long as what it gives is not called. */
function failingSync(t: ExecutionContext): () => void {
	const folder = ownFolder(t)
	const fails = join(folder, 'fails')
	writeFileSync(fails, '')
	writeFileSync(join(folder, 'sync'), `#!/bin/sh\n[ ! -e ${fails} ] || { echo 'Input/output error' >&2; exit 1; }\n`, {
		mode: 0o755,
	})
	const before = process.env['PATH']
	process.env['PATH'] = `${folder}:${before}`
	t.teardown(() => {
		process.env['PATH'] = before
	})
	return () => rmSync(fails)
}

test.serial(
	'what was gathered before a flush failed, another’s even, is not sealed by one that succeeds',
	async (t) => {
		const mend = failingSync(t)
		const { haven, gather, sealer } = await makeScene(t)
		const gathered = await gather(1)
		await t.throwsAsync(haven.flushFileSystem(), { message: /Input\/output error/ })
		mend()
		await t.throwsAsync(sealer.seal(gathered), { message: /a flush of the haven failed after it was begun/ })
		t.false(existsSync(join(haven.path, receiptPath(gathered.publication.key))))
		const again = await gather(2)
		await sealer.seal(again)
		t.true(existsSync(join(haven.path, receiptPath(again.publication.key))))
	},
)

test.serial('a piece that was written before a flush failed is not noted down as durable', async (t) => {
	const mend = failingSync(t)
	const { haven, lease, engine } = await makeScene(t)
	const location = { keyspace: 'ks', table: 't1', dataDirectories: [] }
	const order = { number: 7, location, tag: 'daily', flushEach: false, flushFailures: haven.flushFailures() }
	const piece = { path: 'nb-1-big-Data.db', size: 2 ** 30, mtimeNs: '1', ino: '1', offset: 0, length: 2 ** 28, crc: 0 }
	const checkpointsOf = (one: object) =>
		keepCheckpoints({ engine, haven } as Pass, { lease } as Writing, one as GatherOrder)
	const noted = () => existsSync(join(haven.path, gathering.progress(lease.partial, 7)))
	const checkpoints = checkpointsOf(order)
	await t.throwsAsync(haven.flushFileSystem(), { message: /Input\/output error/ })
	mend()
	await t.throwsAsync(checkpoints.done([piece]), { message: /a flush of the haven failed after it was begun/ })
	t.false(await checkpoints.finish())
	t.false(noted())
	await checkpointsOf({ ...order, flushFailures: haven.flushFailures() }).done([piece])
	t.true(noted())
})

test('a group is undone only when nothing of it is being published any more', async (t) => {
	const { haven, jobs, gather, sealer } = await makeScene(t, (job, nth) =>
		job === 'publishAll' && nth > 0 ? sleep(100) : undefined,
	)
	const all = await Promise.all(Array.from({ length: 70 }, (_, number) => gather(number)))
	block(haven.path, all[0] as Gathered)
	const sealed = all.map((one) => reasonOf(sealer.seal(one)))
	await sealer.idle()
	for (const error of await Promise.all(sealed)) t.like(error, { ofHaven: false })
	t.deepEqual(jobs.filter((job) => /publishAll|withdrawAll/.test(job)).slice(2), [
		'publishAll ends',
		'publishAll ends',
		'withdrawAll begins',
		'withdrawAll ends',
	])
	for (const { publication } of all) t.false(existsSync(join(haven.path, receiptPath(publication.key))))
})

test('where a group can’t be undone the haven has failed: its intent stays, and nothing more is sealed', async (t) => {
	const { haven, lease, jobs, gather, sealer } = await makeScene(t, (job) => {
		if (job === 'withdrawAll') throw Object.assign(new Error('EIO: i/o error, rename'), { code: 'EIO' })
		return undefined
	})
	const [first, second, third] = [await gather(0), await gather(1), await gather(2)]
	block(haven.path, second)
	const sealed = [first, second].map((one) => reasonOf(sealer.seal(one)))
	sealer.hurry()
	sealed.push(reasonOf(sealer.seal(third)))
	await sealer.idle()
	for (const error of await Promise.all(sealed)) {
		t.true(error instanceof SnaphavenError)
		t.like(error, { ofHaven: true })
	}
	t.true(readdirSync(join(haven.path, lease.partial)).includes('group-0.json'))
	t.is(jobs.filter((job) => job === 'writeIntent begins').length, 1)
})

test('a table that failed alone takes no group down again, until it is sealed', async (t) => {
	const { haven, gather, sealer } = await makeScene(t)
	const bad = await gather(0)
	block(haven.path, bad)
	t.like(await reasonOf(sealer.seal(bad, 'alone')), { ofHaven: false })
	const again = [await gather(0), await gather(1)]
	const sealed = again.map((one) => reasonOf(sealer.seal(one)))
	await sealer.idle()
	t.like(await sealed[0], { ofHaven: false })
	t.is(await sealed[1], undefined)
	rmSync(join(haven.path, snapshotsFolder(bad.publication.key)))
	t.is(await reasonOf(sealer.seal(await gather(0))), undefined)
	for (const { publication } of again) {
		t.true(existsSync(join(haven.path, receiptPath(publication.key))))
		t.true(existsSync(dirname(join(haven.path, snapshotFolder(publication.key)))))
	}
})
