import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { execa } from 'execa'
import { runCli } from '../../support/cli.ts'
import { liesOf, readReceipts } from '../../support/receipts.ts'
import { type Bench, damage, found, haveOf, liveFiles, passed, proven, sealedBy, sharedFiles, tocsOf } from './bench.ts'
import type { NodeSettings } from './cassandra-yaml.ts'
import { giveBack, indexAnswers, rowsOf } from './give-back.ts'
import { type CassandraNode, startNode } from './node.ts'
import { assertProven, filesOnNode, keyOf, placeOf, receiptOf, snapshotsOn } from './proof.ts'
import { buildSai, createShop, remakeEvents, shopKeyspaces, writeRound } from './shop.ts'
import { listSnapshots, liveTables, takenBy, takeSnapshot } from './snapshots.ts'

/** A kind of node, and the flags that tell the command of its data. */
export interface MirrorTestOptions {
	settings: NodeSettings
	dataFlags: (node: CassandraNode) => string[]
}

/** Declares the tests that a real node of any kind must pass, one after another: each begins with what the last one left. */
export function declareMirrorTests({ settings, dataFlags }: MirrorTestOptions): void {
	const hasSai = settings.version === '5.0.8'
	let bench: Bench

	const syncTo = (haven: string, ...flags: string[]) =>
		runCli(['sync', '--once', ...dataFlags(bench.node), '-s', haven, '--json', ...flags, '--', ...shopKeyspaces], {
			stateDirectory: join(bench.own, 'state'),
		})
	const sync = () => syncTo(bench.haven)

	test.before('a node with two keyspaces is up', async () => {
		const own = await mkdtemp(join(tmpdir(), 'snaphaven-cassandra-'))
		try {
			const node = await startNode(join(own, 'cassandra'), settings)
			bench = { node, own, haven: join(own, 'haven'), taken: [], rewritten: new Set() }
		} catch (error) {
			await rm(own, { recursive: true, force: true })
			throw error
		}
		await createShop(bench.node)
		await writeRound(bench.node, 0)
	})

	test.after.always('the node is gone', async () => {
		await bench?.node.kill()
		if (bench !== undefined) await rm(bench.own, { recursive: true, force: true })
	})

	test.serial(
		'each snapshot arrives with every file and byte, and its receipt says what the digests say',
		async (t) => {
			bench.taken.push(...(await takeSnapshot(bench.node, 'monday', shopKeyspaces)))
			passed(t, await sync())
			proven(t, bench)
		},
	)

	test.serial('--hardlink shares with the node what Cassandra never changes, and copies the rest', async (t) => {
		const { node, taken } = bench
		const haven = join(bench.own, 'linked')
		passed(t, await syncTo(haven, '--hardlink'))
		proven(t, { ...bench, haven })
		const shared = taken.flatMap((snapshot) => sharedFiles(node, haven, snapshot))
		t.true(shared.some((path) => path.endsWith('-Data.db')))
		t.deepEqual(
			shared.filter((path) => /-(TOC\.txt|Filter\.db|Summary\.db|Statistics\.db)$/.test(path)),
			[],
		)
	})

	if (hasSai) {
		test.serial('an SAI index built after a snapshot, which rewrites TOC.txt inside it, hinders nothing', async (t) => {
			const { node, haven, taken, rewritten } = bench
			const unsealed = await takeSnapshot(node, 'before-sai', ['shop'])
			const sealed = found(taken, 'orders', 'monday')
			const before = await tocsOf(node, sealed)
			await buildSai(node)
			t.notDeepEqual(await tocsOf(node, sealed), before)
			const tocs = await tocsOf(node, found(unsealed, 'orders', 'before-sai'))
			t.true(tocs.some(({ text }) => text.includes('orders_total')))
			rewritten.add(keyOf(sealed))

			const receipt = receiptOf(haven, sealed)
			passed(t, await sync())
			proven(t, bench, unsealed)
			taken.push(...unsealed)
			t.deepEqual(receiptOf(haven, sealed), receipt)
			for (const { path, text } of before) t.is(await readFile(join(placeOf(haven, sealed), path), 'utf8'), text)
		})
	}

	test.serial("truncate's and drop's own snapshots, one that expires, and the tag `a:b c` arrive too", async (t) => {
		const { node, taken } = bench
		await writeRound(node, 1)
		taken.push(
			await takenBy(node, { keyspace: 'shop', name: 'carts' }, () => node.cql('TRUNCATE shop.carts')),
			await takenBy(node, { keyspace: 'shop', name: 'events' }, () => remakeEvents(node)),
			...(await takeSnapshot(node, 'a:b c', ['shop'])),
		)
		await writeRound(node, 2)
		await node.nodetool('compact', 'audit')
		taken.push(...(await takeSnapshot(node, 'hourly', shopKeyspaces, ['--ttl', '12h'])))
		passed(t, await sync())
		proven(t, bench)
	})

	test.serial(
		'a tag taken again after a clear takes the place of the older one; the clear itself takes nothing',
		async (t) => {
			const { node, haven } = bench
			const first = await takeSnapshot(node, 'again', ['shop'])
			passed(t, await sync())
			proven(t, bench, first)
			const kept = haveOf(haven)
			await node.nodetool('clearsnapshot', '-t', 'again', '--', 'shop')
			t.false((await listSnapshots(node)).some(({ tag }) => tag === 'again'))
			passed(t, await sync())
			t.deepEqual(haveOf(haven), kept)

			await writeRound(node, 3)
			const second = await takeSnapshot(node, 'again', ['shop'])
			passed(t, await sync())
			proven(t, bench, second)
			t.notDeepEqual(haveOf(haven), kept)
			bench.taken.push(...second)
		},
	)

	test.serial('a further pass changes nothing in the haven', async (t) => {
		const before = haveOf(bench.haven)
		t.deepEqual(before.receipts, bench.taken.map(keyOf).sort())
		t.deepEqual(sealedBy(passed(t, await sync())), [])
		t.deepEqual(haveOf(bench.haven), before)
	})

	test.serial('what --hardlink shared is as it was sealed, whatever Cassandra did since', (t) => {
		const haven = join(bench.own, 'linked')
		const receipts = readReceipts(haven).map((one) => ('receipt' in one ? one.receipt : undefined))
		t.is(receipts.length, bench.taken.filter(({ tag }) => tag === 'monday').length)
		for (const receipt of receipts) t.deepEqual(receipt && liesOf(haven, receipt), [])
	})

	test.serial('import of a copy gives all rows back, and the indexes find them', async (t) => {
		const { node, haven } = bench
		const wednesday = await takeSnapshot(node, 'wednesday', shopKeyspaces)
		passed(t, await sync())
		bench.taken.push(...wednesday)
		for (const snapshot of wednesday) {
			const rows = await rowsOf(node, snapshot.keyspace, snapshot.table)
			t.is(rows.length, snapshot.rows)
			await giveBack(node, haven, snapshot)
			t.deepEqual(await rowsOf(node, snapshot.keyspace, snapshot.table), rows, keyOf(snapshot))
		}
		const answers = await indexAnswers(node, hasSai ? ['customer', 'total'] : ['customer'])
		t.is(answers.orders, 240)
		t.deepEqual(answers.found, answers.expected)
	})

	if (hasSai) {
		test.serial('a snapshot whose TOC.txt names index files that it does not have can be imported too', async (t) => {
			const snapshot = found(bench.taken, 'orders', 'before-sai')
			await giveBack(bench.node, bench.haven, snapshot)
			const answers = await indexAnswers(bench.node, ['customer', 'total'])
			t.is(answers.orders, snapshot.rows)
			t.deepEqual(answers.found, answers.expected)
		})
	}

	test.serial(
		'--move-snapshots frees the node of all snapshots but a damaged one, and touches nothing else',
		async (t) => {
			const { node, own } = bench
			await node.nodetool('disableautocompaction')
			const orders = found(bench.taken, 'orders', 'wednesday')
			await damage(node, orders)
			const twin = join(own, 'twin')
			await execa('cp', ['-al', '--', node.root, twin])
			const twinDirectories = node.dataDirectories.map((directory) => twin + directory.slice(node.root.length))
			const [listed, files, rows] = [await listSnapshots(node), liveFiles(node), await liveTables(node, shopKeyspaces)]

			const haven = join(own, 'moved')
			const { exitCode, stderr } = await syncTo(haven, '--move-snapshots')
			t.is(exitCode, 3, stderr)
			t.is(receiptOf(haven, orders)?.state, 'damaged')
			t.deepEqual(snapshotsOn(node.dataDirectories, shopKeyspaces).map(keyOf), [keyOf(orders)])
			const kept = [...filesOnNode(node.dataDirectories, orders).keys()]
			t.deepEqual(kept, [...filesOnNode(twinDirectories, orders).keys()])
			const moved = snapshotsOn(twinDirectories, shopKeyspaces).filter((snapshot) => keyOf(snapshot) !== keyOf(orders))
			t.is(moved.length + 1, listed.length)
			assertProven(twinDirectories, haven, moved)
			t.deepEqual(liveFiles(node), files)
			t.deepEqual(await liveTables(node, shopKeyspaces), rows)
			t.deepEqual(await listSnapshots(node), [{ keyspace: 'shop', name: 'orders', tag: 'wednesday' }])
		},
	)
}
