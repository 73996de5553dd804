import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { assertMirrored, compareMirror, snapshotsOf } from './mirrored.ts'
import { liesOf, readReceipts } from './receipts.ts'
import { clearSnapshot, filesPerSSTable, flushTables, makeTree, type Tree, takeSnapshot } from './tree.ts'

async function folder(t: ExecutionContext): Promise<string> {
	const path = await mkdtemp(join(tmpdir(), 'snaphaven-support-'))
	t.teardown(() => rm(path, { recursive: true }))
	return path
}

function copyToHaven(tree: Tree, haven: string): void {
	for (const { folder, tag, files } of snapshotsOf(tree)) {
		const place = join(haven, 'data', tree.keyspace, folder, 'snapshots', tag)
		for (const [name, path] of files) cpSync(path, join(place, name))
	}
}

test('a tree has as many files as it was asked for, and digests that are true', async (t) => {
	const tree = makeTree(await folder(t), { tables: 3, sstables: 4, dataDirectories: 2, ids: 'uuid' })
	takeSnapshot(tree, 'a:b c')
	const snapshots = snapshotsOf(tree)
	t.is(snapshots.length, 3)
	for (const { files } of snapshots) {
		t.is(files.size, 4 * filesPerSSTable + 2)
		const manifest = JSON.parse(readFileSync(files.get('manifest.json') ?? '', 'utf8'))
		t.is(manifest.files.length, 4)
		for (const name of manifest.files) {
			t.regex(name, /^nb-\w{4}_\w{4}_\w{18}-big-Data\.db$/)
			const data = readFileSync(files.get(name) ?? '')
			t.is(data.length, 4000)
			const digest = files.get(name.replace('Data.db', 'Digest.crc32')) ?? ''
			t.is(readFileSync(digest, 'utf8'), String(crc32(data)))
		}
	}
})

test('trees of one seed are equal, of two are not', async (t) => {
	const root = await folder(t)
	const [first, same, other] = [1, 1, 2].map((seed, i) => makeTree(join(root, String(i)), { seed }))
	t.deepEqual(first?.folders, same?.folders)
	t.notDeepEqual(first?.folders, other?.folders)
	const data = (tree?: Tree) =>
		readFileSync(join(tree?.root ?? '', 'data/ks', tree?.folders[0] ?? '', 'nb-1-big-Data.db'))
	t.deepEqual(data(first), data(same))
	t.notDeepEqual(data(first), data(other))
})

test('a tag that is cleared, and taken again after a flush, has the new SSTables too', async (t) => {
	const tree = makeTree(await folder(t), { tables: 1, sstables: 1 })
	takeSnapshot(tree, 'daily')
	clearSnapshot(tree, 'daily')
	flushTables(tree)
	takeSnapshot(tree, 'daily')
	t.is(snapshotsOf(tree)[0]?.files.size, 2 * filesPerSSTable + 2)
})

test('a mirror passes only with every file, every byte, and nothing else', async (t) => {
	const root = await folder(t)
	const haven = join(root, 'haven')
	const tree = makeTree(join(root, 'node'), { tables: 2, sstables: 1, dataDirectories: 2 })
	takeSnapshot(tree, 'daily')
	copyToHaven(tree, haven)
	t.deepEqual(assertMirrored(tree, haven), { snapshots: 2, files: 2 * (filesPerSSTable + 2) })

	const place = join(haven, 'data/ks', tree.folders[1] ?? '', 'snapshots/daily')
	const data = readFileSync(join(place, 'nb-1-big-Data.db'))
	data[17] = (data[17] ?? 0) ^ 1
	writeFileSync(join(place, 'nb-1-big-Data.db'), data)
	rmSync(join(place, 'schema.cql'))
	mkdirSync(join(place, 'deep'))
	writeFileSync(join(place, 'deep/more'), '')
	const { differences } = compareMirror(tree, haven)
	t.deepEqual(differences.map((line) => line.split(':')[0]).sort(), [
		'missing in the haven',
		'not on the node',
		'other bytes',
	])
	t.throws(() => assertMirrored(tree, haven), { message: /^3 differences/ })
})

test('a receipt that is torn, altered or untrue is found out', async (t) => {
	const haven = await folder(t)
	const tree = makeTree(join(haven, 'node'), { tables: 1, sstables: 1 })
	takeSnapshot(tree, 'daily')
	copyToHaven(tree, haven)
	const [snapshot] = snapshotsOf(tree)
	const files = [...(snapshot?.files ?? [])].map(([path, source]) => {
		const bytes = readFileSync(source)
		return { path, size: bytes.length, mtimeNs: '0', crc32: crc32(bytes).toString(16).padStart(8, '0') }
	})
	const table = tree.folders[0] ?? ''
	const receipts = join(haven, '.snaphaven/receipts/ks', table)
	mkdirSync(receipts, { recursive: true })
	const body = JSON.stringify({ keyspace: 'ks', table, tag: 'daily', state: 'whole', files }).replace(/\}$/, ',\n')
	const text = `${body}"checksum":"${crc32(body).toString(16).padStart(8, '0')}"}\n`
	writeFileSync(join(receipts, 'good.json'), text)
	writeFileSync(join(receipts, 'altered.json'), text.replace('"whole"', '"whale"'))
	writeFileSync(join(receipts, 'torn.json'), text.slice(0, 100))
	writeFileSync(join(receipts, 'empty.json'), '')

	const found = new Map(readReceipts(haven).map((receipt) => [receipt.file.split('/').at(-1), receipt]))
	t.true(['altered.json', 'torn.json', 'empty.json'].every((name) => 'broken' in (found.get(name) ?? {})))
	const good = found.get('good.json')
	if (good === undefined || !('receipt' in good)) return t.fail('the good receipt is not believed')
	t.deepEqual(liesOf(haven, good.receipt), [])

	const place = join(haven, 'data/ks', table, 'snapshots/daily')
	writeFileSync(join(place, 'nb-1-big-Data.db'), Buffer.alloc(4000))
	writeFileSync(join(place, 'nb-1-big-Index.db'), '')
	rmSync(join(place, 'nb-1-big-Filter.db'))
	t.is(liesOf(haven, good.receipt).length, 3)
})
