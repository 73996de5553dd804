import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { findTables } from '../../src/cassandra/find-tables.ts'
import { listSnapshot } from '../../src/cassandra/list-snapshot.ts'
import { isSettled } from '../../src/cassandra/settled.ts'
import { MANIFEST, SCHEMA } from '../../src/cassandra/snapshot.ts'
import { parseComponent } from '../../src/cassandra/sstable.ts'
import { runSync } from '../../src/files/io.ts'
import { fixtureNames, readExpected, unpackFixture } from '../support/fixtures.ts'

for (const name of fixtureNames) {
	test(`every snapshot of ${name} is settled by its manifest, and each of its files is understood`, async (t) => {
		const root = await unpackFixture(name)
		t.teardown(() => rm(root, { recursive: true, force: true }))
		const { dataDirectories, keyspaces, snapshots, sstableVersion, format } = await readExpected(root)
		const directories = dataDirectories.map((path) => join(root, path))
		const found = runSync(findTables(directories, 'all'))
		t.deepEqual(found.keyspaces, keyspaces.toSorted())
		t.true(snapshots.length > 0)
		for (const { keyspace, table, tag } of snapshots) {
			const location =
				found.tables.find((one) => one.keyspace === keyspace && one.table === table) ??
				({ keyspace, table, dataDirectories: directories } as const)
			const listing = runSync(listSnapshot(location, tag))
			if (!listing) return t.fail(`${keyspace}.${table} ${tag} is not there`)
			const question = { keyspace, tag, before: listing, after: listing, nowMs: Date.now(), settleMs: 60_000 }
			t.deepEqual(isSettled(question), { verdict: 'settled', proof: 'manifest' }, `${keyspace}.${table} ${tag}`)
			for (const { path } of listing.files) {
				if (path === MANIFEST || path === SCHEMA) continue
				t.like(parseComponent(path), { version: sstableVersion, format }, path)
			}
		}
	})
}
