import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { ownFolder } from '../support/folder.ts'
import { makeTree, takeSnapshot } from '../support/tree.ts'
import { makeRunner, wrongWith } from './support/runner.ts'

/** Cases; SNAPHAVEN_HOSTILE sets another number, SNAPHAVEN_SEED tries one order again. */
const { SNAPHAVEN_HOSTILE: runs = 50, SNAPHAVEN_SEED: seed = 1 } = process.env

const commands = [
	'sync',
	'list',
	'verify',
	'restore',
	'prune',
	'adopt',
	'status',
	'wait',
	'snapshot',
	'sstables',
	'completion',
	'__complete',
]
const flags = [
	'--once',
	'--json',
	'-q',
	'-v',
	'-n',
	'--dry-run',
	'-t',
	'--at',
	'--to',
	'--offline',
	'--import',
	'--live',
	'--backups',
	'--schema',
	'--as',
	'--since',
	'--until',
	'--files',
	'--keep-last',
	'--keep-within',
	'--sample',
	'--quick',
	'--limit-rate',
	'--settle-time',
	'--sweep-interval',
	'--snapshot-regex',
	'--include-table',
	'--exclude-table',
	'--cassandra-yaml',
	'--all-keyspaces',
	'--move-snapshots',
	'--keep-deleted',
	'--sync-sstables',
	'--prune-backups-after',
	'--cql',
	'--nodetool',
	'--max-age',
	'--log-format',
	'--new-haven',
	'--take-over',
	'--help',
	'--version',
	'--',
	'-',
	'--=',
	'-s',
	'--no-such',
	'-h',
	'--mirror-deletes-after',
	'--repair',
	'--timeout',
	'--replace',
]
const values = [
	'',
	' ',
	'0',
	'-1',
	'1e999',
	'99999999999999999999',
	'NaN',
	'2026-11-21',
	'1d',
	'5%',
	'ks',
	'ks.t0000',
	'ks.*',
	'*',
	'[',
	'(?<',
	'(a+)+$',
	'../..',
	'/',
	'/dev/null',
	'/dev/zero',
	'/proc/self/mem',
	'a\nb',
	'\u001b[2J',
	'\ufeff',
	'💥',
	'x'.repeat(5000),
	'__proto__',
	'constructor',
	'toString',
	'{host}',
	'{{}}',
	'%s',
	'$(id)',
	"'",
]

test('any arguments give an answer or a clear error, and never a stack trace', async (t) => {
	const own = ownFolder(t)
	const node = makeTree(join(own, 'node'), { tables: 1 })
	takeSnapshot(node, 'daily')
	const run = makeRunner(t, { HOME: own })
	const state = ['--state-dir', join(own, 'state')]
	const word = fc.oneof(
		{ arbitrary: fc.constantFrom(...flags), weight: 4 },
		{ arbitrary: fc.constantFrom(...values), weight: 3 },
		{ arbitrary: fc.string({ unit: 'binary', maxLength: 12 }), weight: 1 },
		{
			arbitrary: fc
				.tuple(fc.constantFrom(...flags), fc.constantFrom(...values))
				.map(([flag, value]) => `${flag}=${value}`),
			weight: 2,
		},
	)
	// A service would wait for ever, and what has no `-s` of its own must not go to this machine's.
	const lines = fc.tuple(
		fc.constantFrom(...commands),
		fc.constantFrom([], ['-s', join(own, 'haven')], ['-s', join(own, 'haven'), ...node.flags]),
		fc.array(word, { maxLength: 6 }),
		fc.constantFrom([], ['ks']),
	)
	await fc.assert(
		fc.asyncProperty(lines, async ([command, places, words, keyspaces]) => {
			const ends = ['sync'].includes(command)
				? ['--once']
				: ['wait', 'snapshot'].includes(command)
					? ['--timeout', '0.1s']
					: []
			const argv = [
				command,
				...ends,
				...places,
				...state,
				...words.filter((one) => one !== '--all-keyspaces' || places.length > 2),
				...keyspaces,
			]
			const wrong = wrongWith(await run(argv))
			if (wrong !== undefined) throw new Error(`${JSON.stringify(argv)}: ${wrong}`)
		}),
		{ numRuns: Number(runs), seed: Number(seed), endOnFailure: true },
	)
	t.pass()
})
