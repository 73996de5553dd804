import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import type { NodeFacts } from '../../src/cassandra/facts.ts'
import { runSync } from '../../src/files/io.ts'
import { keepFacts } from '../../src/haven/facts.ts'
import { cliFile, nodeBinary } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { makeNodetool } from './support/nodetool.ts'
import { filesIn, inHaven, type Mirrored, mirrorFixture } from './support/scene.ts'

/** The commands of docs/restore.md, by the heading that they stand under. */
function sections(): Map<string, string[]> {
	const text = readFileSync(join(import.meta.dirname, '../../docs/restore.md'), 'utf8')
	const parts = text.split(/^## /m).slice(1)
	return new Map(
		parts.map((part) => {
			const [heading = '', ...lines] = part.split('\n')
			return [heading, lines.filter((line) => line.startsWith('    ')).map((line) => line.trim())]
		}),
	)
}

let recorded: Mirrored

test.before('a recorded node is mirrored', async () => {
	recorded = await mirrorFixture('cassandra-5.0-bti')
})

test.after.always(() => {
	if (recorded !== undefined) rmSync(recorded.own, { recursive: true, force: true })
})

interface Scene {
	haven: string
	/** The folders of tables of the keyspace shop. */
	tables: () => string[]
	run: (command: string) => Promise<{ exitCode: number | undefined; output: string }>
}

/** A machine as the page takes it for, with programs of its own in PATH: nodetool and cqlsh act on files alone. */
function machine(t: ExecutionContext): Scene {
	const own = ownFolder(t)
	execFileSync('cp', ['-a', `${recorded.own}/.`, own])
	const [bin, haven] = [join(own, 'bin'), join(own, 'haven')]
	const dataDirectories = recorded.dataDirectories.map((path) => path.replace(recorded.own, own))
	mkdirSync(bin)
	mkdirSync(join(own, 'tmp'))
	makeNodetool(bin, dataDirectories, 'good')
	const program = (name: string, script: string) => {
		writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`)
		chmodSync(join(bin, name), 0o755)
	}
	program('snaphaven', `exec ${nodeBinary} ${cliFile} "$@" --state-dir ${own}/state`)
	program('systemctl', 'exit 0')
	program('sstableloader', `ls "$3"/*-Data.db > /dev/null`)
	program('cqlsh', makesTables(dataDirectories[0] ?? ''))
	keepFactsOf(haven)
	const yaml = join(own, 'cassandra.yaml')
	writeFileSync(
		yaml,
		`cluster_name: c\ndata_file_directories:\n${dataDirectories.map((path) => `  - ${path}\n`).join('')}`,
	)
	const ours: [string, string][] = [
		['/mnt/nas/{host}', haven],
		['/mnt/nas/node1', haven],
		['/etc/cassandra/cassandra.yaml', yaml],
		['/var/tmp/', `${own}/tmp/`],
		['daily_1', 'tuesday'],
		['weekly_1', 'monday'],
	]
	return {
		haven,
		tables: () =>
			dataDirectories.flatMap((path) => readdirSync(join(path, 'shop')).map((name) => join(path, 'shop', name))),
		run: async (command) => {
			const line = ours.reduce((text, [page, here]) => text.replaceAll(page, here), command)
			const result = await execa('sh', ['-c', line], { reject: false, env: { PATH: `${bin}:${process.env['PATH']}` } })
			return { exitCode: result.exitCode, output: `${command}\n${result.stdout}\n${result.stderr}` }
		},
	}
}

/** Makes the folders of tables by their statements, as Cassandra does, and describes what was made. */
function makesTables(dataDirectory: string): string {
	return `echo "$2" | grep -q 'TABLE shop.orders_then' && mkdir -p "${dataDirectory}/shop/orders_then-${'0'.repeat(32)}"
		case "$2" in DESCRIBE*) cat "$0.made" 2> /dev/null; exit 0;; esac
		[ "$1" = -f ] || exit 0
		cat "$2" >> "$0.made"
		sed -n 's/^CREATE TABLE IF NOT EXISTS shop\\.\\([^ ]*\\) (.*/\\1/p; s/.*WITH ID = \\([0-9a-f-]*\\).*/\\1/p' "$2" | tr -d '"' |
			while read -r name && read -r id; do
				mkdir -p "${dataDirectory}/shop/$name-$(echo "$id" | tr -d -)"
			done`
}

/** What a service with --cql would have kept of the recorded node. */
function keepFactsOf(haven: string): void {
	const partial = '.snaphaven/partial/0123456789abcdef'
	const cql = "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'};"
	const facts: NodeFacts = {
		source: 'cql',
		node: { clusterName: 'c', tokens: ['0'] },
		schema: [{ kind: 'keyspace', keyspace: 'shop', name: 'shop', cql }],
		roles: [{ name: 'app', login: true, superuser: false, memberOf: [] }],
		grants: [{ role: 'app', resource: 'data/shop', permissions: ['SELECT'] }],
		missing: [],
	}
	mkdirSync(join(haven, partial))
	const at = new Date().toISOString()
	runSync(keepFacts(haven, partial, { tags: ['monday', 'tuesday'], at, facts }, { flushFolders: false }))
	rmSync(join(haven, partial), { recursive: true })
}

const liveIn = (folder: string) => filesIn(folder).filter((path) => !/^(snapshots|backups)\//.test(path))

function loseSSTables({ tables }: Scene): void {
	for (const folder of tables()) for (const path of liveIn(folder)) rmSync(join(folder, path))
}

function dropTables({ tables }: Scene, name: RegExp): void {
	for (const folder of tables()) if (name.test(folder)) rmSync(folder, { recursive: true })
}

/** What has happened, by the headings: the tables that must have SSTables in the end, by their folders. */
const SCENES: Record<string, { happen: (scene: Scene) => void; back?: RegExp }> = {
	First: { happen: () => {} },
	'Rows were deleted or overwritten, or a table was truncated': { happen: loseSSTables, back: /\/orders(_then)?-/ },
	'A table was dropped': { happen: (scene) => dropTables(scene, /\/carts-/), back: /\/carts-/ },
	'A keyspace was dropped': { happen: (scene) => dropTables(scene, /./), back: /\/(orders|carts|Items)-/ },
	'The node does not start, or a disk was replaced': { happen: loseSSTables, back: /\/(orders|visits)-/ },
	'The machines are others now': { happen: () => {} },
	'The haven is damaged': {
		happen: (scene) => {
			loseSSTables(scene)
			const folder = inHaven(scene.haven, 'shop', /^orders-/, 'tuesday')
			const older = filesIn(inHaven(scene.haven, 'shop', /^orders-/, 'monday'))
			const [data = ''] = filesIn(folder).filter((path) => /^da-[^/]*-Data\.db$/.test(path) && !older.includes(path))
			rmSync(join(folder, data))
		},
		back: /\/orders-/,
	},
	'In the end': { happen: () => {} },
}

test('each heading of the runbook has its commands, and is known here', (t) => {
	t.deepEqual([...sections().keys()], Object.keys(SCENES))
	for (const commands of sections().values()) t.true(commands.length > 0)
})

for (const [heading, { happen, back }] of Object.entries(SCENES)) {
	test.serial(`the runbook’s commands work as they stand there: ${heading}`, async (t) => {
		const scene = machine(t)
		happen(scene)
		for (const command of sections().get(heading) ?? []) {
			const { exitCode, output } = await scene.run(command)
			t.is(exitCode, command.includes('--accept-damaged') ? 3 : 0, output)
		}
		if (!back) return
		const names = new Set(
			scene
				.tables()
				.filter((folder) => back.test(folder))
				.map((folder) => folder.split('/').at(-1)),
		)
		const filled = scene.tables().filter((folder) => liveIn(folder).some((path) => path.endsWith('-Data.db')))
		t.true(names.size > 0)
		for (const name of names)
			t.true(
				filled.some((folder) => folder.endsWith(`/${name}`)),
				name,
			)
	})
}
