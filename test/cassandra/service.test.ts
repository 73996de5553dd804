import { lstatSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { trueReceipts } from '../mirror/support/scene.ts'
import { type RunningService, SERVICE_TIMEOUT_MS, sealedOf, superviseService } from '../service/support/service.ts'
import { startCli } from '../support/cli.ts'
import { memory } from '../support/folder.ts'
import { readReceipts } from '../support/receipts.ts'
import { giveBack, tableName } from './support/give-back.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { assertProven, filesOnNode, keyOf, type SnapshotName, snapshotsOn } from './support/proof.ts'
import { createSeries, firstRows, keepWriting, type Series, writeNext } from './support/series.ts'
import { listSnapshots } from './support/snapshots.ts'

const TABLES = 100
const IMPORTED = 3
const MEASURED = 10

let own: string
let node: CassandraNode
let large: Series
let small: Series
/** A seed of one's own repeats a choice that was printed. */
const seed = Number(process.env['SNAPHAVEN_SEED'] ?? Date.now() % 1_000_000)

test.before('a node with a keyspace of 100 tables, and one of three, is up', async () => {
	own = await mkdtemp(join(memory, 'snaphaven-cassandra-'))
	try {
		const settings = { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 } as const
		node = await startNode(join(own, 'cassandra'), settings)
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
	large = await createSeries(node, 'large', TABLES)
	small = await createSeries(node, 'small', 3)
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

/** A service over a keyspace, as an operator starts it, with a haven of that name. */
async function serve(t: ExecutionContext, name: string, keyspace: string, flags: string[] = []) {
	const haven = join(own, name)
	const args = ['-s', haven, ...node.dataDirectories.flatMap((path) => ['--data-dir', path]), ...flags, keyspace]
	const child = startCli(args, { stateDirectory: join(own, `${name}-state`), timeoutMs: SERVICE_TIMEOUT_MS })
	const service = superviseService(t, child, haven)
	await service.ready()
	return { haven, service }
}

const snapshot = (tag: string, { keyspace }: Series) => node.nodetool('snapshot', '-t', tag, '--', keyspace)
const clear = (tag: string, { keyspace }: Series) => node.nodetool('clearsnapshot', '-t', tag, '--', keyspace)

/** The snapshots on the node that the haven does not have as they are now, by the times of their manifests. */
function unsealed(haven: string, keyspace: string): SnapshotName[] {
	const sealed = new Map<string, string | undefined>()
	for (const found of readReceipts(haven)) {
		if (!('receipt' in found)) continue
		const manifest = found.receipt.files.find(({ path }) => path === 'manifest.json')
		sealed.set(keyOf(found.receipt), manifest?.mtimeNs)
	}
	return snapshotsOn(node.dataDirectories, [keyspace]).filter((one) => {
		const manifest = filesOnNode(node.dataDirectories, one).get('manifest.json')
		return !manifest || sealed.get(keyOf(one)) !== String(lstatSync(manifest, { bigint: true }).mtimeNs)
	})
}

test.serial(
	'of 100 tables, five snapshots among writes, flushes, compactions and clears are sealed, and import with their rows',
	async (t) => {
		const { haven, service } = await serve(t, 'haven', 'large')
		const rows = new Map<string, { atLeast: Map<string, number>; atMost: Map<string, number> }>()
		const take = async (tag: string) => {
			const atLeast = new Map(large.written)
			await snapshot(tag, large)
			rows.set(tag, { atLeast, atMost: new Map(large.begun) })
		}
		const stopWriting = keepWriting(node, large)
		await take('monday')
		await take('tuesday')
		// Tuesday's may be cleared before they have settled. Monday's were sealed before.
		await Promise.all([clear('tuesday', large), take('wednesday'), node.nodetool('compact', 'large')])
		await service.until('all of monday’s', () => sealedOf({ haven }, 'monday') === TABLES)
		await Promise.all([clear('monday', large), take('thursday'), node.nodetool('flush', 'large')])
		await take('monday')
		await stopWriting()
		await service.until('all that the node has', () => unsealed(haven, 'large').length === 0)
		await service.stop()

		const taken = snapshotsOn(node.dataDirectories, ['large'])
		t.deepEqual([...new Set(taken.map(({ tag }) => tag))].sort(), ['monday', 'thursday', 'wednesday'])
		t.is(taken.length, 3 * TABLES)
		t.true(assertProven(node.dataDirectories, haven, taken).digests >= taken.length)
		t.true(trueReceipts(t, { haven }).length >= taken.length)
		t.true((service.said().match(/^sealed large\.t\d\d monday\b/gm)?.length ?? 0) >= 2 * TABLES)
		t.notRegex(service.said(), /^(failed|damaged)|unproven/m)

		t.log(`SNAPHAVEN_SEED=${seed}`)
		for (const one of chosen(taken, IMPORTED)) {
			await giveBack(node, haven, one)
			const name = tableName(one.table)
			const count = await firstRows(node, large, name)
			const { atLeast, atMost } = rows.get(one.tag) ?? { atLeast: new Map(), atMost: new Map() }
			t.log(`${keyOf(one)}: ${count} rows`)
			t.true(count > 0 && count >= atLeast.get(name) && count <= atMost.get(name), keyOf(one))
		}
	},
)

test.serial('snapshots that nodetool takes of a small keyspace are sealed soon after it has ended', async (t) => {
	const { haven, service } = await serve(t, 'small', 'small')
	const latencies: number[] = []
	for (let i = 0; i < MEASURED; i++) {
		await writeNext(node, small)
		await snapshot(`hour-${i}`, small)
		const ended = Date.now()
		await service.until('the seals', () => sealedLines(service, `hour-${i}`).length === small.written.size)
		latencies.push(Math.max(...sealedLines(service, `hour-${i}`)) - ended)
	}
	await service.stop()
	t.deepEqual(unsealed(haven, 'small'), [])
	assertProven(node.dataDirectories, haven, snapshotsOn(node.dataDirectories, ['small']))
	latencies.sort((a, b) => a - b)
	t.log(`from nodetool's end to the last seal: median ${latencies[MEASURED / 2]} ms of ${latencies.join(', ')}`)
})

test.serial(
	'--move-snapshots frees the node of nodetool’s and of a truncate’s own snapshot, and of none before',
	async (t) => {
		const before = await listed()
		await writeNext(node, small)
		const { haven, service } = await serve(t, 'moved', 'small', ['--move-snapshots'])
		const isFree = () => snapshotsOn(node.dataDirectories, ['small']).length === before.length
		await snapshot('daily', small)
		await service.until('the seals', () => sealedOf({ haven }, 'daily') === small.written.size)
		await service.until('the node is free', isFree)
		t.deepEqual(await listed(), before)

		await node.cql('TRUNCATE small.t01')
		await service.until('the truncate’s', () => /^sealed small\.t01 truncated-/m.test(service.said()))
		await service.until('the node is free again', isFree)
		t.deepEqual(await listed(), before)
		await service.stop()
		const receipts = trueReceipts(t, { haven })
		t.regex([...new Set(receipts.map(({ tag }) => tag))].sort().join(' '), /^daily truncated-\d+-t01$/)
		t.is(receipts.length, small.written.size + 1)
		for (const receipt of receipts.filter(({ table }) => tableName(table) === 't01')) {
			await giveBack(node, haven, receipt)
			t.is(await firstRows(node, small, 't01'), small.written.get('t01') ?? 0)
		}
	},
)

/** What nodetool lists of the small keyspace. */
async function listed(): Promise<string[]> {
	const all = (await listSnapshots(node)).filter(({ keyspace }) => keyspace === small.keyspace)
	return all.map(({ name, tag }) => `${name} ${tag}`).sort()
}

/** When the service told of each seal of a tag, in ms since the epoch. */
function sealedLines(service: RunningService, tag: string): number[] {
	const lines = service.log().matchAll(new RegExp(`^(\\S+Z) sealed small\\.\\w+ ${tag}\\b`, 'gm'))
	return [...lines].map(([, at = '']) => Date.parse(at))
}

/** So many of these, as the seed has it. */
function chosen<T>(all: T[], count: number): T[] {
	const left = [...all]
	let state = seed
	return Array.from({ length: count }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
		return left.splice(Math.floor((state / 2 ** 32) * left.length), 1)
	}).flat()
}
