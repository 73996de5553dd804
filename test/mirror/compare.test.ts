import test from 'ava'
import type { SnapshotFile, SnapshotListing } from '../../src/cassandra/snapshot.ts'
import { mayBeBegun, relate } from '../../src/mirror/compare.ts'
import { identityOf } from '../../src/mirror/draft.ts'
import { file, listing, wholeListing } from '../cassandra-files/support/listings.ts'
import { receiptFor } from '../haven/support/havens.ts'

const sealed = wholeListing(['nb-1-big-', '.idx/nb-1-big-'])
sealed.files.push(file('nb-1-big-TOC.txt'), file('nb-1-big-Filter.db'))

/** The receipt of a snapshot that was sealed as this. */
function receiptOf(found: SnapshotListing) {
	const receipt = receiptFor(Object.fromEntries(found.files.map(({ path }) => [path, ''])))
	const files = receipt.files.map((known, at) => {
		const { ino = 0n, size = 0, mtimeNs = 0n } = found.files[at] ?? {}
		return { ...known, ino: String(ino), size, mtimeNs: String(mtimeNs) }
	})
	return { ...receipt, files, source: identityOf(found) }
}

function relation(files: SnapshotFile[], superseded: SnapshotFile[] = []): string {
	return relate({ ...listing({ files }), superseded }, receiptOf(sealed)).relation
}

function changed(path: string, changes: Partial<SnapshotFile>): SnapshotFile[] {
	return sealed.files.map((one) => (one.path === path ? { ...one, ...changes } : one))
}

test('the very files are the same', (t) => t.is(relation(sealed.files), 'same'))

test('some of them are what remains', (t) => {
	t.is(relation(sealed.files.slice(1)), 'remains')
	t.is(relation([]), 'remains')
})

test('any file more, or another one of its name, makes it another', (t) => {
	t.is(relation([...sealed.files, file('new')]), 'other')
	for (const { path } of sealed.files) {
		t.is(relation(changed(path, { ino: 1n })), 'other', `inode of ${path}`)
		if (/TOC\.txt|Filter\.db/.test(path)) continue
		t.is(relation(changed(path, { size: 1 })), 'other', `size of ${path}`)
		t.is(relation(changed(path, { mtimeNs: 1n })), 'other', `time of ${path}`)
	}
})

test('a TOC.txt or Filter.db that Cassandra wrote into since is no change', (t) => {
	for (const path of ['nb-1-big-TOC.txt', 'nb-1-big-Filter.db']) {
		t.is(relation(changed(path, { size: 5, mtimeNs: 9_999_999n })), 'same')
	}
})

test('of several manifests those that were there at the seal are known, another one is not', (t) => {
	const second = file('manifest.json', { ino: 77n, directory: 1 })
	const both = { ...sealed, superseded: [second] }
	const receipt = receiptOf(both)
	t.is(relate(both, receipt).relation, 'same')
	const onlySecond = { ...both, files: [...sealed.files.filter(({ path }) => path !== 'manifest.json'), second] }
	t.is(relate({ ...onlySecond, superseded: [] }, receipt).relation, 'same')
	t.is(relate({ ...both, superseded: [{ ...second, ino: 78n }] }, receipt).relation, 'other')
	t.is(relation(sealed.files, [second]), 'other')
})

test('what remains without a manifest may be a new snapshot’s beginning', (t) => {
	t.false(mayBeBegun(sealed))
	t.true(mayBeBegun(listing({ files: sealed.files.filter(({ path }) => path !== 'manifest.json') })))
	t.true(mayBeBegun(listing({ files: [] })))
})
