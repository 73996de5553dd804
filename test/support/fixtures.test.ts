import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import test from 'ava'
import { fixtureNames, readExpected, unpackFixture } from './fixtures.ts'

for (const name of fixtureNames) {
	test(`${name}, once unpacked, has every snapshot that Cassandra listed, whole, linked and with its times`, async (t) => {
		const folder = await unpackFixture(name)
		t.teardown(() => rm(folder, { recursive: true }))
		const expected = await readExpected(folder)
		t.true(expected.snapshots.length > 30)
		let [checked, linked, fine] = [0, 0, 0]
		for (const { keyspace, table, tag, rows } of expected.snapshots) {
			const snapshot = ['snapshots', tag]
			const files = await filesIn(
				expected.dataDirectories.map((path) => join(folder, path, keyspace, table, ...snapshot)),
			)
			t.true(files.some((file) => basename(file) === 'manifest.json'))
			const data = files.filter((file) => file.endsWith('-Data.db'))
			t.is(rows > 0, data.length > 0)
			for (const file of data) {
				const digest = await readFile(file.replace(/Data\.db$/, 'Digest.crc32'), 'utf8')
				t.is(crc32(await readFile(file)), Number(digest))
				const { nlink, mtimeNs } = await stat(file, { bigint: true })
				checked++
				if (nlink > 1n) linked++
				if (mtimeNs % 1000n !== 0n) fine++
			}
		}
		t.true(checked > 40)
		t.true(linked > checked / 2)
		t.true(fine > checked / 2)
	})
}

async function filesIn(folders: string[]): Promise<string[]> {
	const found: string[] = []
	for (const folder of folders) {
		const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
		for (const entry of entries) if (entry.isFile()) found.push(join(entry.parentPath, entry.name))
	}
	return found
}
