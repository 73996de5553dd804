// Records the fixtures that the tests without a JVM use, from real nodes: `npm run record-fixtures [NAME…]`.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execa } from 'execa'
import { type Expected, type FixtureName, fixtureArchive, fixtureNames } from '../support/fixtures.ts'
import type { NodeSettings } from './support/cassandra-yaml.ts'
import { type CassandraNode, startNode } from './support/node.ts'
import { buildSai, createShop, remakeEvents, shopKeyspaces, writeRound } from './support/shop.ts'
import { listSnapshots, liveTables, type TakenSnapshot, takenBy, takeSnapshot } from './support/snapshots.ts'

const nodes: Record<FixtureName, NodeSettings & Pick<Expected, 'sstableVersion'>> = {
	'cassandra-5.0-bti': {
		version: '5.0.8',
		format: 'bti',
		sstableVersion: 'da',
		ids: 'uuid',
		dataDirectories: 2,
		incrementalBackups: true,
	},
	'cassandra-5.0-big': { version: '5.0.8', format: 'big', sstableVersion: 'oa', ids: 'number', dataDirectories: 1 },
	'cassandra-4.1-nb': { version: '4.1.10', format: 'big', sstableVersion: 'nb', ids: 'number', dataDirectories: 2 },
}

const wanted = process.argv.slice(2)
for (const name of fixtureNames) {
	if (wanted.length === 0 || wanted.includes(name)) await record(name)
}

async function record(name: FixtureName): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-record-'))
	try {
		await mkdir(join(folder, 'cassandra'))
		const node = await startNode(join(folder, 'cassandra'), nodes[name])
		let expected: Expected
		try {
			expected = await fill(node, folder, nodes[name].sstableVersion)
		} finally {
			await node.stop()
		}
		await writeFile(join(folder, 'expected.json'), `${JSON.stringify(expected, null, '\t')}\n`)
		await pack(folder, expected, fixtureArchive(name))
		const { size } = await stat(fixtureArchive(name))
		console.log(`${name}: ${expected.snapshots.length} snapshots, ${Math.ceil(size / 1024)} KiB`)
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

/** The life of a node in a few minutes; hands back what it said of it. */
async function fill(
	node: CassandraNode,
	folder: string,
	sstableVersion: Expected['sstableVersion'],
): Promise<Expected> {
	const { settings } = node
	await createShop(node)
	await writeRound(node, 0)
	const snapshots = await takeSnapshot(node, 'monday', [...shopKeyspaces, 'system_auth'])
	if (settings.version === '5.0.8') await buildSai(node)
	await writeRound(node, 1)
	snapshots.push(
		await takenBy(node, { keyspace: 'shop', name: 'carts' }, () => node.cql('TRUNCATE shop.carts')),
		await takenBy(node, { keyspace: 'shop', name: 'events' }, () => remakeEvents(node)),
		...(await takeSnapshot(node, 'a:b c', ['shop'])),
	)
	await writeRound(node, 2)
	await node.nodetool('compact', 'audit')
	snapshots.push(
		...(await takeSnapshot(node, 'hourly', ['shop'], ['--ttl', '3650d'])),
		...(await takeSnapshot(node, 'tuesday', shopKeyspaces)),
	)
	await writeRound(node, 3)
	await node.nodetool('flush')
	await agrees(node, snapshots)
	const tables = await liveTables(node, [...shopKeyspaces, 'system_auth'])
	const dropped = snapshots.find(({ tag }) => tag.startsWith('dropped-'))
	return {
		cassandra: settings.version,
		format: settings.format,
		sstableVersion,
		ids: settings.ids,
		dataDirectories: node.dataDirectories.map((directory) => relative(folder, directory)),
		keyspaces: shopKeyspaces,
		tables: [
			...tables.map(({ keyspace, table, rows }) => ({ keyspace, table, rows })),
			...(dropped === undefined ? [] : [{ keyspace: dropped.keyspace, table: dropped.table }]),
		],
		snapshots,
	}
}

/** Throws unless `nodetool listsnapshots` lists the very snapshots that were noted. */
async function agrees(node: CassandraNode, snapshots: TakenSnapshot[]): Promise<void> {
	const noted = snapshots.map(({ keyspace, table, tag }) => JSON.stringify([keyspace, table.slice(0, -33), tag])).sort()
	const listed = (await listSnapshots(node))
		.map(({ keyspace, name, tag }) => JSON.stringify([keyspace, name, tag]))
		.sort()
	if (noted.join('\n') !== listed.join('\n')) {
		throw new Error(`nodetool lists other snapshots than were taken:\n${listed.join('\n')}\n\n${noted.join('\n')}`)
	}
}

/** Hard links and times in ns are kept; owners, and the times of reading, are not: they tell of the recording alone. */
async function pack(folder: string, { dataDirectories }: Expected, archive: string): Promise<void> {
	const keyspaces = [...shopKeyspaces, 'system_auth']
	const paths = dataDirectories
		.flatMap((directory) => keyspaces.map((keyspace) => join(directory, keyspace)))
		.filter((path) => existsSync(join(folder, path)))
	await execa(
		'tar',
		[
			'--create',
			'--format=posix',
			'--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
			'--sort=name',
			'--owner=0',
			'--group=0',
			'--numeric-owner',
			'--use-compress-program=gzip --best --no-name',
			`--file=${archive}`,
			'expected.json',
			...paths,
		],
		{ cwd: folder },
	)
}
