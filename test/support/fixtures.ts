import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** Data directories of real Cassandra nodes, recorded by `npm run record-fixtures`. */
export const fixtureNames = ['cassandra-5.0-bti', 'cassandra-5.0-big', 'cassandra-4.1-nb'] as const

export type FixtureName = (typeof fixtureNames)[number]

/** What Cassandra said of the data when it was recorded. */
export interface Expected {
	/** Its version. */
	cassandra: string
	format: 'bti' | 'big'
	/** The SSTables' version, with which their names begin. */
	sstableVersion: 'da' | 'oa' | 'nb'
	ids: 'number' | 'uuid'
	/** Paths within the fixture, such as `cassandra/data`. */
	dataDirectories: string[]
	/** Those that users made; `system_auth` is there too. */
	keyspaces: string[]
	/** Every table there was, by its folder's name; rows are those of the end, absent where it was dropped. */
	tables: { keyspace: string; table: string; rows?: number }[]
	/** Every snapshot of every table, with the rows that the table had when it was taken. */
	snapshots: { keyspace: string; table: string; tag: string; rows: number }[]
}

/** The archive of a fixture. */
export function fixtureArchive(name: FixtureName): string {
	return join(import.meta.dirname, '../fixtures', `${name}.tar.gz`)
}

/** Unpacks a fixture, with its hard links and times, into a new temporary folder, which is the caller's to remove. */
export async function unpackFixture(name: FixtureName): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), `snaphaven-${name}-`))
	await execa('tar', ['--extract', '--gzip', '--preserve-permissions', `--file=${fixtureArchive(name)}`], {
		cwd: folder,
	})
	return folder
}

/** Reads what Cassandra said of a fixture, from the folder that it was unpacked into. */
export async function readExpected(folder: string): Promise<Expected> {
	return JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'))
}
