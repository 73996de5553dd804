import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { execa, execaSync } from 'execa'
import { type CassandraNode, startNode } from '../test/cassandra/support/node.ts'
import { makeNodetool } from '../test/cassandra/support/programs.ts'
import { assertProven, filesIn, snapshotsOn } from '../test/cassandra/support/proof.ts'
import { cliFile, nodeBinary } from '../test/support/cli.ts'
import { type Cost, costOf, medianCost } from './support/cost.ts'
import { inFolder, onTmpfs, placesMissing } from './support/places.ts'
import { turns } from './support/rounds.ts'
import type { Figure, Scale, Scenario } from './support/scenario.ts'
import { havenIn } from './support/snaphaven.ts'

const wantedVersion = '0.31.0'
const rounds = { full: 3, smoke: 1 }
const tables = { full: 100, smoke: 3 }
const flushes = 4
/** Of each SSTable: 2 MB. */
const rows = 32
const rowBytes = 62_500
/** medusa takes all of the node but system_traces, so snaphaven is given these too. */
const keyspaces = ['shop', 'system', 'system_auth', 'system_distributed', 'system_schema']

/** A real node's snapshot, from the word to take it to its last byte durable, beside cassandra-medusa's backup of the same. */
export const medusa = (onDisk = false): Scenario => ({
	name: 'medusa',
	title: `100 tables of 8 MB on a real Cassandra, all on ${onDisk ? 'the machine’s disk' : 'tmpfs'}: from its snapshot being asked for to safe`,
	byNameAlone: true,
	missing: () => {
		const { stdout, exitCode } = execaSync('medusa', ['--version'], { reject: false })
		if (placesMissing() !== undefined) return placesMissing()
		return exitCode === 0 && stdout.includes(wantedVersion) ? undefined : `needs cassandra-medusa ${wantedVersion}`
	},
	run: (scale) =>
		(onDisk ? inFolder : inMemory)(async (own) => {
			const root = join(own, 'node')
			const node = await startNode(root, { version: '5.0.8', format: 'big', ids: 'number', dataDirectories: 1 })
			try {
				await fill(node, tables[scale])
				return await compare({ node, own, scale, inTarget: onDisk ? inFolder : inMemory })
			} finally {
				await node.stop()
			}
		}),
})

const inMemory: typeof inFolder = (use) => onTmpfs(4096, use)

/** How one brings a snapshot to a target, flushed; the tag is a new one. */
interface Way {
	name: string
	command: (target: string, tag: string) => string[]
	/** The tag's name on the node. */
	tagOf: (tag: string) => string
	/** Outside of the time; throws where not all has come. */
	check: (target: string, tag: string) => void
}

interface Comparison {
	node: CassandraNode
	/** The folder that the node is in. */
	own: string
	scale: Scale
	/** Gives each round of each way a new folder. */
	inTarget: typeof inFolder
}

/** Each way in turn: a first snapshot into a new folder, then a row more in each table, and a second one. */
async function compare({ node, own, scale, inTarget }: Comparison): Promise<Figure[]> {
	const nodetool = await makeNodetool(own, node)
	const ways = [medusaWay(node, nodetool), snaphavenWay(node, nodetool), nodetoolAlone(node, nodetool)]
	const costs = new Map(ways.map(({ name }) => [name, { first: [] as Cost[], second: [] as Cost[] }]))
	for (const { contender: way, round } of turns(ways, rounds[scale])) {
		const found = costs.get(way.name)
		await inTarget(async (target) => {
			for (const turn of ['first', 'second'] as const) {
				await writeRows(node, tables[scale], 1, 1000 + round)
				const tag = `${way.name}${round}${turn}`
				await execa('sync')
				found?.[turn].push(await costOf(way.command(target, tag), target))
				way.check(target, way.tagOf(tag))
				await node.nodetool('clearsnapshot', '-t', way.tagOf(tag))
			}
		})
	}
	return (['first', 'second'] as const).flatMap((turn): Figure[] => {
		const of = (name: string) => medianCost(costs.get(name)?.[turn] ?? [])
		const time = (what: string, name: string): Figure => {
			const { seconds, ...cost } = of(name)
			return { what: `${what}, ${turn}`, value: seconds, unit: 's', cost }
		}
		const [base, ours, alone] = ['medusa', 'snaphaven', 'nodetool'].map((name) => of(name).seconds) as [
			number,
			number,
			number,
		]
		return [
			time('nodetool snapshot alone', 'nodetool'),
			time('medusa backup-node; sync -f', 'medusa'),
			time('snaphaven snapshot', 'snaphaven'),
			{ what: `snaphaven / medusa, ${turn}`, value: ours / base, unit: '×', atMost: turn === 'first' ? 0.5 : 0.25 },
			{ what: `the same without nodetool’s time, ${turn}`, value: (ours - alone) / (base - alone), unit: '×' },
		]
	})
}

/** What the others begin with: a JVM for nodetool, and the snapshot itself. */
function nodetoolAlone({ jmxPort }: CassandraNode, nodetool: string): Way {
	return {
		name: 'nodetool',
		command: (_, tag) => [
			...[nodetool, '-h', '127.0.0.1', '-p', String(jmxPort), 'snapshot', '-t', tag, '--', ...keyspaces],
		],
		tagOf: (tag) => tag,
		check: () => {},
	}
}

function snaphavenWay({ root, dataDirectories, jmxPort }: CassandraNode, nodetool: string): Way {
	return {
		name: 'snaphaven',
		command: (target, tag) => [
			...[nodeBinary, cliFile, 'snapshot', '--quiet', '-s', havenIn(target), '-d', root, '-t', tag],
			...['--state-dir', join(target, 'state'), '--nodetool', nodetool, '--host', '127.0.0.1'],
			...['--port', String(jmxPort), ...keyspaces],
		],
		tagOf: (tag) => tag,
		check: (target, tag) => {
			const taken = snapshotsOn(dataDirectories, keyspaces).filter((snapshot) => snapshot.tag === tag)
			assertProven(dataDirectories, havenIn(target), taken)
		},
	}
}

/** medusa as it comes, but that it leaves the snapshot on the node, as snaphaven does; its backup is made durable too. */
function medusaWay({ root, dataDirectories, jmxPort }: CassandraNode, nodetool: string): Way {
	const script = `mkdir -p "$1" && cat > "$1/medusa.ini" && cd "$1" && \
medusa --config-file medusa.ini backup-node --keep-snapshot --mode differential --backup-name "$2" && sync -f "$1"`
	const ini = (target: string) => `[storage]
storage_provider = local
base_path = ${target}
bucket_name = backups
fqdn = localhost

[cassandra]
config_file = ${join(root, 'conf/cassandra.yaml')}
nodetool_executable = ${nodetool}
nodetool_flags =
nodetool_host = 127.0.0.1
nodetool_port = ${jmxPort}
resolve_ip_addresses = False
use_sudo = False
`
	return {
		name: 'medusa',
		command: (target, tag) => ['sh', '-c', `printf '%s' "$0" | (${script})`, ini(target), target, tag],
		tagOf: (tag) => `medusa-${tag}`,
		check: (target, tag) => {
			const names = (folder: string) => [...filesIn(folder).keys()].map((path) => basename(path))
			const copied = new Set(names(join(target, 'backups')))
			const taken = snapshotsOn(dataDirectories, keyspaces).filter((snapshot) => snapshot.tag === tag)
			const wanted = taken.flatMap(({ keyspace, table }) =>
				names(join(dataDirectories[0] ?? '', keyspace, table, 'snapshots', tag)),
			)
			// It leaves out what is not part of an SSTable: its own manifest and the node's schema stand for these.
			const missing = wanted.filter((name) => name.includes('-') && !copied.has(name))
			if (wanted.length === 0 || missing.length > 0) throw new Error(`medusa has not copied ${missing.join(', ')}`)
		},
	}
}

async function fill(node: CassandraNode, count: number): Promise<void> {
	const replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
	await node.cql(`CREATE KEYSPACE shop WITH replication = ${replication} AND durable_writes = false`)
	const compaction = "{'class': 'SizeTieredCompactionStrategy', 'enabled': 'false'}"
	for (let table = 0; table < count; table++) {
		await node.cql(`CREATE TABLE shop.t${table} (id int PRIMARY KEY, content blob) WITH compaction = ${compaction}`)
	}
	for (let flush = 0; flush < flushes; flush++) await writeRows(node, count, rows, flush * rows)
}

/** Writes rows that do not compress to each table, and flushes. */
async function writeRows(node: CassandraNode, count: number, rowsEach: number, from: number): Promise<void> {
	for (let table = 0; table < count; table++) {
		const insert = `INSERT INTO shop.t${table} (id, content) VALUES (?, ?)`
		const ids = Array.from({ length: rowsEach }, (_, row) => from + row)
		for (const id of ids) await write(node, insert, [id, randomBytes(rowBytes)])
	}
	await node.nodetool('flush', 'shop')
}

/** A node on a busy machine may take longer for a write than it allows itself. */
async function write({ cql }: CassandraNode, insert: string, values: unknown[]): Promise<void> {
	for (let tries = 1; ; tries++) {
		try {
			await cql(insert, values)
			return
		} catch (error) {
			if (tries === 20) throw error
		}
	}
}
