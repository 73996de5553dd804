// Records transaction logs of real nodes for the tests without a JVM: `npm run record-logs`.
import { randomBytes } from 'node:crypto'
import { readFileSync, watch, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RecordedLog, recordedLogs } from '../support/recorded-logs.ts'
import type { NodeSettings } from './support/cassandra-yaml.ts'
import { locate, say } from './support/live.ts'
import { type CassandraNode, startNode } from './support/node.ts'

const nodes: NodeSettings[] = [
	{ version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 },
	{ version: '4.1.10', format: 'big', ids: 'number', dataDirectories: 2 },
]

const logs: RecordedLog[] = []
for (const settings of nodes) {
	const root = await mkdtemp(join(tmpdir(), 'snaphaven-logs-'))
	try {
		const node = await startNode(root, settings)
		logs.push(...(await record(node)))
	} finally {
		await rm(root, { recursive: true, force: true })
	}
}
writeFileSync(recordedLogs, `${JSON.stringify(logs, null, '\t')}\n`)

/** A flush, a compaction, one that is stopped, and one that the node is killed in. */
async function record(node: CassandraNode): Promise<RecordedLog[]> {
	await node.cql(`CREATE KEYSPACE large WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
	await node.cql(
		`CREATE TABLE large.blobs (id int PRIMARY KEY, bytes blob) WITH compaction = {'class': 'SizeTieredCompactionStrategy', 'enabled': false}`,
	)
	const [location] = locate(node, 'large', 'blobs')
	if (location === undefined) throw new Error('large.blobs is not there')
	const seen = new Map<string, string[]>()
	const folders = location.dataDirectories.map((directory) => join(directory, 'large', location.table))
	const watchers = folders.map((folder, at) =>
		watch(folder, (_, name) => {
			if (!name?.endsWith('.log')) return
			const texts = seen.get(name) ?? []
			seen.set(name, texts)
			const text = textOf(join(folder, name))
			if (text.length > (texts[at]?.length ?? -1)) texts[at] = text
		}),
	)
	const write = async (from: number) => {
		for (let id = from; id < from + 20; id++) {
			await node.cql('INSERT INTO large.blobs (id, bytes) VALUES (?, ?)', [id, randomBytes(500_000)])
		}
		await node.nodetool('flush', 'large')
	}
	const compacting = async () => {
		await node.nodetool('setcompactionthroughput', '1')
		const ended = node.nodetool('compact', 'large').catch(() => '')
		while (!say(location).doomed.some((path) => path.endsWith('-Data.db'))) await sleep(20)
		return { ended }
	}
	await write(0)
	await write(20)
	await node.nodetool('compact', 'large')
	await write(40)
	const stopped = await compacting()
	await node.nodetool('stop', 'COMPACTION')
	await stopped.ended
	const last = await compacting()
	await node.kill()
	await last.ended
	for (const watcher of watchers) watcher.close()
	return [...seen].map(([name, texts]) => {
		return { cassandra: node.settings.version, table: location.table, name, replicas: texts.filter(Boolean) }
	})
}

function textOf(path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return ''
	}
}
