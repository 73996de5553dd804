import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { selectionOf } from '../../src/commands/selection.ts'
import { SELECTION_FLAGS } from '../../src/commands/selection-flags.ts'
import { SnaphavenError } from '../../src/errors.ts'
import { runSync } from '../../src/files/io.ts'
import { receiptPath, type SnapshotKey } from '../../src/haven/layout.ts'
import { openForReading } from '../../src/haven/open-for-reading.ts'
import { readSealed, whatBecameOf } from '../../src/haven/read-sealed.ts'
import { withChecksum, withoutChecksum } from '../../src/haven/sealed-text.ts'
import { readCatalog } from '../../src/mirror/read-catalog.ts'
import { changesBetween, fingerprint, makeScene, type Scene } from '../mirror/support/scene.ts'
import { readReceipts } from '../support/receipts.ts'
import { takeSnapshot } from '../support/tree.ts'

const ALL = selectionOf({ tag: [], since: undefined, until: undefined }, [])

function catalogOf({ haven }: Scene, selection = ALL) {
	return readCatalog(haven, selection)
}

async function sealedScene(t: ExecutionContext, tags: string[], tables = 1): Promise<Scene> {
	const scene = makeScene(t, { tables })
	for (const tag of tags) takeSnapshot(scene.node, tag)
	await scene.syncWell()
	return scene
}

function keyIn({ node }: Scene, tag: string): SnapshotKey {
	return { keyspace: node.keyspace, table: node.folders[0] ?? '', tag }
}

function receiptOf(scene: Scene, tag: string): string {
	return join(scene.haven, receiptPath(keyIn(scene, tag)))
}

const names = (heads: { table: string; tag: string }[]) => heads.map(({ table, tag }) => `${table} ${tag}`).sort()

test('all that receipts say is sealed is listed, under its true names, and nothing is written', async (t) => {
	const scene = await sealedScene(t, ['daily', 'A:B c', 'ünï'], 2)
	const before = fingerprint(scene.haven)
	const { sealed, inDoubt, bad } = await catalogOf(scene)
	t.deepEqual(names(sealed), names(readReceipts(scene.haven).flatMap((one) => ('receipt' in one ? [one.receipt] : []))))
	t.is(sealed.length, 6)
	t.like(sealed[0], { keyspace: 'ks', state: 'whole', fileCount: 18 })
	t.deepEqual([inDoubt, bad], [[], []])
	t.deepEqual(changesBetween(before, fingerprint(scene.haven)), [])
})

test('what is selected by keyspace, table, tag and time is listed, and nothing else', async (t) => {
	const scene = await sealedScene(t, ['daily-1', 'Daily 2', 'weekly'], 2)
	const { sealed } = await catalogOf(scene)
	const count = async (flags: { tag?: string[]; since?: string; until?: string }, ...tables: string[]) => {
		const values = { tag: flags.tag ?? [], since: flags.since, until: flags.until }
		return (await catalogOf(scene, selectionOf(values, tables))).sealed.length
	}
	t.is(sealed.length, 6)
	t.is(await count({}, 'ks'), 6)
	t.is(await count({}, 'k?.t*0'), 3)
	t.is(await count({}, 'other', 'ks.t0001'), 3)
	t.is(await count({}, 'other.*'), 0)
	t.is(await count({ tag: ['[dD]aily*'] }), 4)
	t.is(await count({ tag: ['weekly', 'Daily 2'] }, '*.t0000'), 2)
	const last =
		sealed
			.map(({ takenAt }) => takenAt)
			.sort()
			.at(-1) ?? ''
	t.is(await count({ since: '1h' }), 6)
	t.is(await count({ until: '1h' }), 0)
	t.is(await count({ until: last }), 6)
	t.true((await count({ since: last })) >= 1)
})

test('a selection that can fit nothing is wrong usage', (t) => {
	const none = { tag: [], since: undefined, until: undefined }
	for (const [values, table] of [
		[{ ...none, since: 'yesterday' }, 'ks'],
		[{ ...none, until: '2026-13-01' }, 'ks'],
		[{ ...none, since: '1h', until: '2h' }, 'ks'],
		[{ ...none, tag: ['[a'] }, 'ks'],
		[none, '.t'],
		[none, 'ks.'],
		[none, 'ks.t.u'],
		[none, 'ks/t'],
	] as const) {
		const thrown = t.throws(() => selectionOf({ ...values, tag: [...values.tag] }, [table]), {
			instanceOf: SnaphavenError,
		})
		t.is(thrown?.exitCode, 2)
	}
	t.deepEqual(Object.keys(SELECTION_FLAGS).sort(), Object.keys(none).sort())
})

test('a date that ends a selection is meant to its end', (t) => {
	const values = { tag: [], since: '2026-03-01', until: '2026-03-01' }
	const { wantsTime } = selectionOf(values, [])
	const at = (text: string) => wantsTime(new Date(text).toISOString())
	t.deepEqual(['2026-02-28T23:59:59.999', '2026-03-01T00:00', '2026-03-01T23:59:59.999', '2026-03-02T00:00'].map(at), [
		false,
		true,
		true,
		false,
	])
})

test('what an intent names does not count, and is told', async (t) => {
	const scene = await sealedScene(t, ['one', 'two'])
	const partial = join(scene.haven, '.snaphaven/partial/0123456789abcdef')
	mkdirSync(partial)
	const publications = [{ number: 0, key: keyIn(scene, 'two'), receiptChecksum: '00000000' }]
	writeFileSync(join(partial, 'group-0.json'), withChecksum(JSON.stringify({ format: 1, publications })))
	const { sealed, inDoubt } = await catalogOf(scene)
	t.deepEqual(
		sealed.map(({ tag }) => tag),
		['one'],
	)
	t.deepEqual(inDoubt, [keyIn(scene, 'two')])
	t.deepEqual(
		(await catalogOf(scene, selectionOf({ tag: ['one'], since: undefined, until: undefined }, []))).inDoubt,
		[],
	)
	const id = sealed[0]?.id ?? ''
	t.is(runSync(whatBecameOf(scene.haven, keyIn(scene, 'one'), id)), 'same')
	t.is(runSync(whatBecameOf(scene.haven, keyIn(scene, 'two'), id)), 'in doubt')
})

test('a receipt whose head can’t be its own is named and does not count', async (t) => {
	const scene = await sealedScene(t, ['good', 'torn', 'moved', 'folder'])
	writeFileSync(receiptOf(scene, 'torn'), readFileSync(receiptOf(scene, 'torn')).subarray(0, 100))
	renameSync(receiptOf(scene, 'moved'), receiptOf(scene, 'elsewhere'))
	rmSync(receiptOf(scene, 'folder'))
	mkdirSync(receiptOf(scene, 'folder'))
	const { sealed, bad } = await catalogOf(scene)
	t.deepEqual(
		sealed.map(({ tag }) => tag),
		['good'],
	)
	t.deepEqual(
		bad.map(({ path }) => path).sort(),
		['elsewhere', 'folder', 'torn'].map((tag) => receiptPath(keyIn(scene, tag))),
	)
})

test('a whole receipt is believed only where its checksum holds, it is the snapshot’s and stays in its folder', async (t) => {
	const scene = await sealedScene(t, ['daily'])
	const key = keyIn(scene, 'daily')
	const place = receiptOf(scene, 'daily')
	const read = () => runSync(readSealed(scene.haven, key))
	const text = readFileSync(place, 'utf8')
	const first = read()
	if (!('receipt' in first)) return t.fail()
	t.is(first.receipt.files.length, 18)
	const become = () => runSync(whatBecameOf(scene.haven, key, first.receipt.id))
	const resealed = (change: (json: string) => string) =>
		writeFileSync(place, withChecksum(change(withoutChecksum(text))))
	writeFileSync(place, text.replace('whole', 'whale'))
	t.deepEqual(
		[read(), become()],
		[{ problem: 'its receipt does not count: its checksum does not hold', gone: false }, 'damaged'],
	)
	resealed((json) => json.replace('"tag":"daily"', '"tag":"other"'))
	t.regex(JSON.stringify(read()), /another snapshot’s, ks\/t0000-\w+\/other/)
	for (const path of ['../x', '/x', 'a//x', '.', 'a/../../x']) {
		resealed((json) => json.replace('"path":"manifest.json","size"', `"path":"${path}","size"`))
		t.regex(JSON.stringify(read()), /says what none can say, such as a path that leads out/, path)
	}
	resealed((json) => json.replace(/"id":"[^"]*"/, '"id":"another"'))
	t.is(become(), 'another')
	rmSync(place)
	t.deepEqual([read(), become()], [{ problem: 'its receipt is gone', gone: true }, 'gone'])
})

test('what is no haven, a newer one or not mounted is refused, and another node’s is read', async (t) => {
	const scene = await sealedScene(t, ['daily'])
	const file = join(scene.haven, '.snaphaven/haven.json')
	const text = readFileSync(file, 'utf8')
	const open = async (path = scene.haven) => (await openForReading(path, scene.state)).close()
	const rewrite = (change: (json: string) => string) => writeFileSync(file, withChecksum(change(withoutChecksum(text))))
	rewrite((json) => json.replace(/"machine":"[^"]*"/, '"machine":"another"'))
	await t.notThrowsAsync(open())
	rewrite((json) => json.replace('"format":1', '"format":2'))
	await t.throwsAsync(open(), { message: /has format 2, and this snaphaven understands format 1/ })
	writeFileSync(file, text.replace('format', 'formal'))
	await t.throwsAsync(open(), { message: /haven\.json is damaged/ })
	rmSync(dirname(file), { recursive: true })
	await t.throwsAsync(open(), { message: /is the NAS mounted\?/ })
	await t.throwsAsync(open(scene.node.root), { message: /there is no haven at/ })
	await t.throwsAsync(open(join(scene.own, 'nothing')), { message: /there is no haven at/ })
})
