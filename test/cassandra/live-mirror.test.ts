import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { copy } from 'fs-extra/esm'
import { neededComponents } from '../../src/cassandra/sstable.ts'
import { hasCode } from '../../src/files/io.ts'
import { trueLive } from '../live/support/live-set.ts'
import { type RunningService, SERVICE_TIMEOUT_MS, superviseService } from '../service/support/service.ts'
import { startCli } from '../support/cli.ts'
import { memory } from '../support/folder.ts'
import { liesIn, type ReceiptText, readReceiptsIn } from '../support/receipts.ts'
import { locate, say, sstableutil, wrongDigests } from './support/live.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { createSeries, firstRows, keepWriting, type Series, writeNext } from './support/series.ts'
import { createShop, writeRound } from './support/shop.ts'

/** For a long run: how many minutes of load, and kills; and the node's kind, such as `big number`. */
const { SNAPHAVEN_LIVE_MINUTES: minutes, SNAPHAVEN_KILLS: kills = 5, SNAPHAVEN_NODE = 'bti uuid' } = process.env
const PAUSE_MS = minutes ? 5000 : 50
const COPIES = minutes ? 10 : 3
const KEYSPACES = ['shop', 'busy']
const [format, ids] = SNAPHAVEN_NODE.split(' ') as ['bti' | 'big', 'uuid' | 'number']
const settings = { version: '5.0.8', format, ids, dataDirectories: 2 } as const

let own: string
let haven: string
let node: CassandraNode
let series: Series

test.before('a node with tables, an index, and rows is up', async () => {
	own = await mkdtemp(join(memory, 'snaphaven-cassandra-'))
	haven = join(own, 'haven')
	try {
		node = await startNode(join(own, 'cassandra'), settings)
	} catch (error) {
		await rm(own, { recursive: true, force: true })
		throw error
	}
	await createShop(node)
	await writeRound(node, 0)
	series = await createSeries(node, 'busy', 1)
	await writeNext(node, series)
	for (const keyspace of KEYSPACES) await node.nodetool('flush', keyspace)
})

test.after.always('the node is gone', async () => {
	await node?.kill()
	await rm(own, { recursive: true, force: true })
})

function serve(t: ExecutionContext): RunningService {
	const places = node.dataDirectories.flatMap((path) => ['--data-dir', path])
	const args = ['-s', haven, ...places, '--sync-sstables', '--sweep-interval', '0.3', ...KEYSPACES]
	return superviseService(
		t,
		startCli(args, { stateDirectory: join(own, 'state'), timeoutMs: SERVICE_TIMEOUT_MS }),
		haven,
	)
}

const receiptsNow = (): ReceiptText[] =>
	readReceiptsIn(join(haven, '.snaphaven/live')).flatMap((one) => ('receipt' in one ? [one.receipt] : []))
const receiptOf = (keyspace: string, name: string) =>
	receiptsNow().find((one) => one.keyspace === keyspace && one.table.startsWith(`${name}-`))
const inDoubt = () =>
	readdirSync(join(haven, '.snaphaven/partial'), { recursive: true, encoding: 'utf8' }).some((path) =>
		/live-\d+\.json$/.test(path),
	)

/**
 * Hard-links what a table's receipt lists into a folder of its own; undefined where the set became another meanwhile, or
 * is about to. The bytes that are linked stay what they are.
 */
function takeSet(keyspace: string, name: string, folder: string): ReceiptText | undefined {
	try {
		const receipt = receiptOf(keyspace, name)
		if (!receipt || inDoubt()) return undefined
		for (const { path } of receipt.files) {
			mkdirSync(dirname(join(folder, path)), { recursive: true })
			linkSync(join(haven, 'data', keyspace, receipt.table, path), join(folder, path))
		}
		return isDeepStrictEqual(receiptOf(keyspace, name), receipt) && !inDoubt() ? receipt : undefined
	} catch (error) {
		if (hasCode(error, 'ENOENT')) return undefined
		throw error
	}
}

/** What is wrong with a set that was taken: sizes, bytes, digests, or an SSTable that lacks what it needs. */
function wrongIn(folder: string, receipt: ReceiptText): string[] {
	const files = receipt.files.map(({ path }) => join(folder, path))
	const needed = files
		.filter((path) => path.endsWith('-TOC.txt'))
		.flatMap((path) => neededComponents(format).map((one) => path.replace('TOC.txt', one)))
	const lacking = needed.filter((path) => !existsSync(path)).map((path) => `${path} is missing`)
	const withoutToc = files
		.filter((path) => path.endsWith('-Data.db') && !existsSync(path.replace('Data.db', 'TOC.txt')))
		.map((path) => `${path} has no TOC.txt`)
	return [...liesIn(folder, receipt), ...lacking, ...withoutToc, ...wrongDigests(files)]
}

/** Rows, flushes, compactions, upgrades, indexes, truncations, drops: all that changes which SSTables are live. */
async function load(round: number): Promise<void> {
	for (const act of [
		['flush', 'busy'],
		['compact', 'busy'],
		['upgradesstables', '-a', 'shop', 'orders'],
	]) {
		await node.nodetool(...act)
	}
	await node.cql(`CREATE TABLE shop.passing${round} (id int PRIMARY KEY, line text)`)
	for (let id = 0; id < 20; id++) await node.cql(`INSERT INTO shop.passing${round} (id, line) VALUES (${id}, 'line')`)
	await node.cql('CREATE INDEX busy_line ON busy.t00 (line)')
	await writeRound(node, round)
	await node.nodetool('flush')
	await node.cql('TRUNCATE shop.carts')
	await node.nodetool('compact', 'shop', 'orders')
	await node.cql(`DROP TABLE shop.passing${round}`)
	await node.cql('DROP INDEX busy.busy_line')
	await node.nodetool('flush', 'busy')
	await node.nodetool('compact', 'busy')
}

/** Whether the haven has what we call live, to the byte; or of base tables what sstableutil calls final, which takes long. */
async function differencesFrom(oracle: 'ourselves' | 'sstableutil'): Promise<string[]> {
	const differences: string[] = []
	for (const receipt of receiptsNow()) {
		const name = receipt.table.replace(/-[0-9a-f]{32}$/, '')
		const [location] = locate(node, receipt.keyspace, name)
		// What was dropped stays in the haven.
		if (!location || name.startsWith('passing')) continue
		const final = oracle === 'ourselves' ? say(location).live : await sstableutil(node, 'final', receipt.keyspace, name)
		const indexes = [...new Set(receipt.files.map(({ path }) => dirname(path)))].filter((path) => path !== '.')
		const live = new Map(
			[...final, ...indexes.flatMap((index) => say(location, index).live)].map((path) => {
				const directory = node.dataDirectories.find((one) => path.startsWith(`${one}/`)) ?? ''
				return [relative(join(directory, receipt.keyspace, receipt.table), path), path]
			}),
		)
		const place = join(haven, 'data', receipt.keyspace, receipt.table)
		const there = readdirSync(place, { recursive: true, withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map((entry) => relative(place, join(entry.parentPath, entry.name)))
			.filter((path) => !path.startsWith('snapshots/'))
		for (const path of new Set([...there, ...live.keys()])) {
			const [own, copied] = [live.get(path), join(place, path)]
			const isSame = own && existsSync(own) && existsSync(copied) && readFileSync(own).equals(readFileSync(copied))
			if (!isSame) differences.push(`${receipt.keyspace}.${name} ${path}`)
		}
	}
	return differences
}

async function untilAtRest(service: RunningService): Promise<void> {
	let differences = ['']
	for (let turn = 0; turn < 400 && differences.length > 0; turn++) {
		differences = await differencesFrom('ourselves')
		if (differences.length === 0) differences = await differencesFrom('sstableutil')
		if (differences.length > 0) await sleep(500)
	}
	if (differences.length > 0) throw new Error(`not the same: ${differences.slice(0, 10)}\n${service.log()}`)
}

test.serial(
	'among writes, flushes, compactions, upgrades, indexes and truncations each set in the haven is whole and loads, and at rest it is the node’s',
	async (t) => {
		const service = serve(t)
		await service.until('the first sets', () => receiptOf('busy', 't00') !== undefined)
		const taken: { folder: string; atLeast: number }[] = []
		const ids = new Set<string>()
		const wrong: string[] = []
		let isOver = false
		const taking = (async () => {
			for (let number = 0; !isOver; number++) {
				for (const [keyspace, name] of [
					['busy', 't00'],
					['shop', 'orders'],
				] as const) {
					const folder = join(own, 'sets', `${number}-${keyspace}`)
					const receipt = takeSet(keyspace, name, folder)
					if (!receipt) continue
					wrong.push(...wrongIn(folder, receipt))
					ids.add(`${keyspace} ${receipt.files.map(({ path, crc32 }) => path + crc32).join()}`)
					if (keyspace === 'busy') taken.push({ folder, atLeast: 0 })
				}
				await sleep(PAUSE_MS)
			}
		})()
		const stopWriting = keepWriting(node, series)
		t.timeout(Number(minutes ?? 0) * 60_000 + 600_000)
		const end = Date.now() + Number(minutes ?? 0) * 60_000
		for (let round = 1; round === 1 || Date.now() < end; round++) await load(round)
		isOver = true
		await taking
		await stopWriting()
		t.deepEqual(wrong, [])
		t.true(ids.size > 4, `${ids.size} different sets, ${taken.length} taken`)
		t.log(`${SNAPHAVEN_NODE}: ${taken.length} sets taken of one table, ${ids.size} different ones of two`)
		await node.nodetool('flush', 'busy')
		await untilAtRest(service)
		await service.stop()
		trueLive(t, { haven })
		t.notRegex(service.said(), /^(error|damaged|failed)/m)
		const rows: number[] = []
		for (let turn = 0; turn < COPIES; turn++) {
			const { folder = '' } = taken[Math.floor(((turn + 1) * (taken.length - 1)) / COPIES)] ?? {}
			rows.push(await rowsOf(folder, `copy${turn}`))
		}
		t.log(`rows of the sets that were loaded: ${rows.join(', ')}`)
		t.deepEqual(
			rows.toSorted((a, b) => a - b),
			rows,
		)
		t.true((rows[0] ?? 0) > 0 && (rows.at(-1) ?? 0) <= (series.begun.get('t00') ?? 0))
	},
)

/** Loads a copy of a set, without its indexes, into a table of its own: how many rows it has, without a gap. */
async function rowsOf(folder: string, keyspace: string): Promise<number> {
	const other = await createSeries(node, keyspace, 1)
	const staged = join(own, 'staged', keyspace, 't00')
	await copy(folder, staged, { filter: (path) => !basename(path).startsWith('.') })
	await node.nodetool('import', keyspace, 't00', staged)
	return await firstRows(node, other, 't00')
}

/** A few of these, for a test that looks at less. */
async function shortLoad(): Promise<void> {
	await node.nodetool('flush', 'busy')
	await writeRound(node, 1)
	await node.nodetool('flush', 'shop')
	await node.nodetool('compact', 'shop', 'orders')
	await node.cql('TRUNCATE shop.carts')
	await node.nodetool('compact', 'busy')
}

test.serial('killed among such a load again and again, what is in the haven stays whole, and catches up', async (t) => {
	t.timeout(Number(kills) * 20_000 + 600_000)
	const stopWriting = keepWriting(node, series)
	let isOver = false
	const loading = (async () => {
		while (!isOver) await shortLoad()
	})()
	let whole = 0
	for (let kill = 0; kill < Number(kills); kill++) {
		const service = serve(t)
		await sleep(500 + Math.random() * 2500)
		service.process.kill('SIGKILL')
		await service.process
		const folder = join(own, 'sets', `kill-${kill}`)
		for (const [keyspace, name] of [
			['busy', 't00'],
			['shop', 'orders'],
		] as const) {
			const receipt = takeSet(keyspace, name, join(folder, keyspace))
			if (!receipt) continue
			t.deepEqual(wrongIn(join(folder, keyspace), receipt), [])
			whole++
		}
	}
	isOver = true
	await loading
	await stopWriting()
	await node.nodetool('flush', 'busy')
	const service = serve(t)
	await service.ready()
	await untilAtRest(service)
	await service.stop()
	trueLive(t, { haven })
	t.log(`${SNAPHAVEN_NODE}: ${kills} kills, ${whole} whole sets seen after them`)
	t.true(whole > 0)
})
