import { existsSync, lstatSync, lutimesSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { trueReceipts } from '../mirror/support/scene.ts'
import { makeServiceScene, type ServiceScene, sealedOf } from '../service/support/service.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'

const HOUR_MS = 3_600_000
const jumps = [
	['back an hour', -HOUR_MS],
	['forward a day', 24 * HOUR_MS],
] as const

/** A node whose clock can be set while a command runs. */
function makeClock(t: ExecutionContext) {
	const scene = makeServiceScene(t, { tables: 3, dataDirectories: 2 })
	const file = join(scene.own, 'clock')
	let ahead = 0
	const set = (ms: number) => {
		ahead = ms
		// Never half written.
		writeFileSync(`${file}.new`, String(ms))
		renameSync(`${file}.new`, file)
	}
	set(0)
	const env = { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'set-clock.mjs')}`, SNAPHAVEN_CLOCK: file }
	/** What Cassandra writes has the time that the clock shows. */
	const take = (tag: string) => {
		takeSnapshot(scene.node, tag, { createdAt: new Date(Date.now() + ahead).toISOString() })
		for (const { path } of tagFolders(scene.node, tag)) {
			for (const one of [join(path, 'manifest.json'), join(path, 'schema.cql'), path]) {
				if (!existsSync(one)) continue
				const seconds = (lstatSync(one).mtimeMs + ahead) / 1000
				lutimesSync(one, seconds, seconds)
			}
		}
	}
	return { scene, env, set, take }
}

function renewalsIn({ haven }: ServiceScene): number {
	return Number(/"renewals":(\d+)/.exec(readFileSync(join(haven, '.snaphaven/lease.json'), 'utf8'))?.[1])
}

for (const [how, ms] of jumps) {
	test(`a service whose clock is set ${how} goes on: what is taken is sealed, its lease holds, nothing goes too soon`, async (t) => {
		const { scene, env, set, take } = makeClock(t)
		const all = scene.node.folders.length
		const service = scene.start(['--mirror-deletes', '--mirror-deletes-after', String(48 * 3600)], { env })
		await service.ready()
		take('before')
		await service.until('the first seals', () => sealedOf(scene, 'before') === all)
		set(ms)
		take('after')
		await service.until('seals after it', () => sealedOf(scene, 'after') === all)
		const renewals = renewalsIn(scene)
		await service.until('a lease that is renewed', () => renewalsIn(scene) > renewals)
		const second = await scene.sync([], { env })
		t.is(second.exitCode, 1)
		t.regex(second.stderr, /is being written by process/)
		set(0)
		take('righted')
		await service.until('seals once it is set right', () => sealedOf(scene, 'righted') === all)
		await service.stop()
		assertMirrored(scene.node, scene.haven)
		t.true(trueReceipts(t, scene).every(({ state }) => state === 'whole'))
	})

	test(`a pass whose clock was set ${how} seals and moves what is there, and its next one nothing but what is new`, async (t) => {
		const { scene, env, set, take } = makeClock(t)
		take('before')
		await scene.syncWell([], { env })
		set(ms)
		take('after')
		await scene.syncWell(['--move-snapshots'], { env })
		for (const tag of ['before', 'after']) for (const { path } of tagFolders(scene.node, tag)) t.false(existsSync(path))
		set(0)
		await scene.syncWell(['--move-snapshots', '--mirror-deletes', '--mirror-deletes-after', '0'], { env })
		const receipts = trueReceipts(t, scene)
		t.is(receipts.length, 2 * scene.node.folders.length)
		t.true(receipts.every(({ state }) => state === 'whole'))
	})
}
