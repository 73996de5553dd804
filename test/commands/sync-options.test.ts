import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { parseArguments } from '../../src/commands/parse-arguments.ts'
import { PYTHON_FLAGS, SYNC_FLAGS } from '../../src/commands/sync-flags.ts'
import { reporterOptions, syncOptions } from '../../src/commands/sync-options.ts'
import { SnaphavenError } from '../../src/errors.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const AROUND = { directory: '/home/op', environment: { SNAPHAVEN_INSTANCE: 'nas2' } }

async function options(line: string, around = AROUND) {
	const { values, positionals } = parseArguments(line.split(' '), SYNC_FLAGS, PYTHON_FLAGS)
	const report = reporterOptions(values)
	return { report, ...(await syncOptions(values, positionals, around)) }
}

test('the defaults are those of the Python snaphaven', async (t) => {
	const { matchesTag, matchesTable, stateDirectory, ...rest } = await options('--once -s /nas ks')
	t.deepEqual(rest, {
		report: { quiet: false, verbosity: 1, json: false, dryRun: false, logFormat: 'text' },
		dataDirectories: ['/var/lib/cassandra/data'],
		keyspaces: ['ks'],
		haven: '/nas',
		facts: {},
		fullsync: true,
		move: false,
		mirrorDeletes: undefined,
		live: false,
		keepDeletedDays: undefined,
		backups: false,
		pruneBackups: undefined,
		hardlink: false,
		dryRun: false,
		settleMs: 60_000,
		sweepMs: 5000,
		limitRate: undefined,
		requireMount: false,
		newHaven: false,
		takeOver: false,
	})
	t.true(matchesTag('any'))
	t.true(matchesTable('any'))
	t.regex(stateDirectory, /^\/.*snaphaven$/)
})

test('every flag comes through', async (t) => {
	const line =
		'--once -s h -d c -v 2 --json --log-format json --snapshot-regex ^d --include-table o* --exclude-table *x --settle-time 1.5 ' +
		'--move-snapshots --mirror-deletes --mirror-deletes-after 2.5 --sync-sstables --keep-deleted 7 --backups --prune-backups --prune-backups-after 2d --hardlink --dry-run --sweep-interval 2 --limit-rate 1.5M --require-mount --new-haven --take-over --state-dir st b a b'
	const { matchesTag, matchesTable, ...rest } = await options(line)
	t.deepEqual(rest, {
		report: { quiet: false, verbosity: 2, json: true, dryRun: true, logFormat: 'json' },
		dataDirectories: ['/home/op/c/data'],
		keyspaces: ['b', 'a'],
		haven: '/home/op/h',
		stateDirectory: '/home/op/st',
		facts: {},
		fullsync: true,
		move: true,
		mirrorDeletes: { graceMs: 2500 },
		live: true,
		keepDeletedDays: 7,
		backups: true,
		pruneBackups: { afterMs: 172_800_000 },
		hardlink: true,
		dryRun: true,
		settleMs: 1500,
		sweepMs: 2000,
		limitRate: 1_572_864,
		requireMount: true,
		newHaven: true,
		takeOver: true,
	})
	t.deepEqual([matchesTag('d1'), matchesTag('1d')], [true, false])
	t.deepEqual([matchesTable('o'), matchesTable('ox'), matchesTable('p')], [true, false, false])
})

const given = test.macro({
	async exec(t, line: string, expected: Record<string, unknown>) {
		t.like((await options(line)) as Record<string, unknown>, expected)
	},
	title: (_, line) => `understood: snaphaven ${line}`,
})

test(given, '--once -s /nas -d -q ks', { dataDirectories: ['/var/lib/cassandra/data'], report: { quiet: true } })
test(given, '--once -s /nas -d /c/ ks', { dataDirectories: ['/c/data'] })
test(given, '--once -s /nas --data-dir /a --data-dir b --data-dir /a/ ks', { dataDirectories: ['/a', '/home/op/b'] })
test(given, '--once -s /nas --all-keyspaces', { keyspaces: 'all' })
test(given, '--once -s /nas/{instance} --settle-time 0 ks', { haven: '/nas/nas2', settleMs: 0 })
test(given, '--dry-run -s /nas ks', { dryRun: true, fullsync: false })
test(given, '-s /nas --fullsync ks', { fullsync: true })

test(given, '--once -s /nas --mirror-deletes ks', { mirrorDeletes: { graceMs: 3_600_000 } })
test(given, '--once -s /nas --mirror-deletes --mirror-deletes-after 0 ks', { mirrorDeletes: { graceMs: 0 } })

const refused = test.macro({
	async exec(t, line: string, message: string, hint?: string) {
		const error = await t.throwsAsync(options(line), { instanceOf: SnaphavenError })
		t.is(error?.message, message)
		t.is(error?.hint, hint)
		t.is(error?.exitCode, 2)
	},
	title: (_, line) => `refused, with what was expected: snaphaven ${line}`,
})

const LEAVE = 'Leave one of them out.'
test(
	refused,
	'--once ks',
	'where to? -s HAVEN is missing, the folder that the copies live in',
	'For example: -s /mnt/nas/{host}',
)
test(refused, '--once -s /nas', 'which keyspaces? None is named', 'Name one or more, or give --all-keyspaces')
test(
	refused,
	'--once -s /nas --prune-backups ks',
	'--prune-backups deletes on the node what --backups has brought to the haven, which is not given',
	'Give --backups too, or leave --prune-backups out.',
)
test(
	refused,
	'--once -s /nas --backups --prune-backups-after 2d ks',
	'--prune-backups-after says when --prune-backups deletes something, which is not given',
	'Give both, or neither.',
)
test(refused, '--once -s /nas -d /c --data-dir /a ks', '-d and --data-dir cannot be given together', LEAVE)
test(refused, '--once -s /nas -d --data-dir /a ks', '-d and --data-dir cannot be given together', LEAVE)
test(refused, '--once -s /nas -d /c --cassandra-yaml f ks', '-d and --cassandra-yaml cannot be given together', LEAVE)
test(refused, '--once -s /nas -q -v 1 ks', '-q and -v cannot be given together', LEAVE)
test(
	refused,
	'--once -s /nas --all-keyspaces a b',
	'--all-keyspaces and the name of a keyspace (a, b) cannot be given together',
	LEAVE,
)
for (const rate of ['0', '1023', '5MB', '-1', 'fast', '1e9']) {
	test(
		refused,
		`-s /nas --limit-rate=${rate} ks`,
		`--limit-rate expects bytes a second, such as 50M, and at least 1K, but was given "${rate}"`,
	)
}
for (const number of ['0', '5s', '3601']) {
	test(
		refused,
		`-s /nas --sweep-interval ${number} ks`,
		`--sweep-interval expects seconds, from 0.1 to 3600, but was given "${number}"`,
	)
}
test(
	refused,
	'--once -s /nas --mirror-deletes-after 60 ks',
	'--mirror-deletes-after says how soon --mirror-deletes removes something, which is not given',
	'Give both, or neither.',
)
test(refused, '--once -s /nas -v 3 ks', '-v expects 0, 1 or 2, but was given "3"')
test(refused, '--once -s /nas -v x ks', '-v expects 0, 1 or 2, but was given "x"')
for (const number of ['-5', '1e3', '0x10', 'Infinity', '86401', '5s', ' ']) {
	test(
		refused,
		`--once -s /nas --settle-time=${number} ks`.replace('= ', '=\u00a0'),
		`--settle-time expects seconds, from 0 to 86400, but was given "${number.replace(' ', '\u00a0')}"`,
	)
}
test(
	refused,
	'--once -s /nas ks.orders',
	'"ks.orders" is no keyspace\'s name: expected letters, digits and _ alone',
	'Tables are chosen by --include-table GLOB',
)
test(
	refused,
	'--once -s /nas ../ks',
	'"../ks" is no keyspace\'s name: expected letters, digits and _ alone',
	'Tables are chosen by --include-table GLOB',
)
test(
	refused,
	'--once -s /nas/{cluster} ks',
	'{cluster} needs cassandra.yaml with a cluster_name',
	'Give --cassandra-yaml FILE',
)
test(
	refused,
	'--once -s /nas/{hosts} ks',
	'/nas/{hosts}: {hosts} is no placeholder',
	'There are {host}, {fqdn}, {cluster}, {instance}',
)
test(
	refused,
	'--once -s /nas --snapshot-regex ( ks',
	'the expression ( is wrong at "(": the group that begins here has no )',
)

test('cassandra.yaml gives the data directories and the cluster, and --data-dir goes before it', async (t) => {
	const folder = await temporaryFolder(t)
	const yaml = join(folder, 'cassandra.yaml')
	await writeFile(yaml, "cluster_name: 'Test Cluster'\ndata_file_directories:\n  - /d1\n  - /d2\n")
	const fromFile = await options(`--once -s /nas/{cluster} --cassandra-yaml ${yaml} ks`)
	t.like(fromFile, { haven: '/nas/Test Cluster', dataDirectories: ['/d1', '/d2'] })
	const named = await options(`--once -s /nas/{cluster} --cassandra-yaml ${yaml} --data-dir /d3 ks`)
	t.like(named, { haven: '/nas/Test Cluster', dataDirectories: ['/d3'] })
})

test('a cassandra.yaml without data directories is enough where --data-dir names them', async (t) => {
	const folder = await temporaryFolder(t)
	await writeFile(join(folder, 'c.yaml'), 'cluster_name: c\n')
	const around = { ...AROUND, directory: folder }
	t.like(await options('--once -s /nas --cassandra-yaml c.yaml --data-dir d ks', around), {
		dataDirectories: [join(folder, 'd')],
	})
	await t.throwsAsync(options('--once -s /nas --cassandra-yaml c.yaml ks', around), {
		instanceOf: SnaphavenError,
		message: /^c\.yaml has no data_file_directories/,
	})
})
