import test from 'ava'
import { defineFlags } from '../../src/commands/flags.ts'
import { parseArguments } from '../../src/commands/parse-arguments.ts'
import { PYTHON_FLAGS, SYNC_FLAGS } from '../../src/commands/sync-flags.ts'
import { SnaphavenError } from '../../src/errors.ts'

const FLAGS = defineFlags({
	quiet: { kind: 'switch', short: 'q', help: '' },
	'dry-run': { kind: 'switch', help: '' },
	'snapshot-dir': { kind: 'value', short: 's', placeholder: 'DIR', help: '' },
	'cassandra-dir': { kind: 'optional', short: 'd', placeholder: 'DIR', help: '' },
	'data-dir': { kind: 'list', placeholder: 'DIR', help: '' },
})
const NOTHING = {
	quiet: false,
	'dry-run': false,
	'snapshot-dir': undefined,
	'cassandra-dir': undefined,
	'data-dir': [] as string[],
}

const understood = test.macro({
	exec(t, line: string[], values: Partial<typeof NOTHING> | Record<string, unknown>, positionals: string[] = []) {
		t.deepEqual<unknown, unknown>(parseArguments(line, FLAGS, ['snapshot-dir', 'quiet']), {
			values: { ...NOTHING, ...values },
			positionals,
		})
	},
	title: (_, line) => `${JSON.stringify(line)} is understood`,
})

test(understood, [], {})
test(understood, ['-s', '/nas', 'ks'], { 'snapshot-dir': '/nas' }, ['ks'])
test(understood, ['ks', '-s/nas', 'other'], { 'snapshot-dir': '/nas' }, ['ks', 'other'])
test(understood, ['-snas'], { 'snapshot-dir': 'nas' })
test(understood, ['-s=nas'], { 'snapshot-dir': 'nas' })
test(understood, ['-qs=nas'], { quiet: true, 'snapshot-dir': 'nas' })
test(understood, ['-s', 'a=b'], { 'snapshot-dir': 'a=b' })
test(understood, ['--snapshot-dir=nas=1'], { 'snapshot-dir': 'nas=1' })
test(understood, ['--snapshot_dir', 'my_nas'], { 'snapshot-dir': 'my_nas' })
test(understood, ['--snapshot_dir=my_nas'], { 'snapshot-dir': 'my_nas' })
test(understood, ['--snap', 'x', '--q'], { 'snapshot-dir': 'x', quiet: true })
test(understood, ['-qs', 'x'], { quiet: true, 'snapshot-dir': 'x' })
test(understood, ['-s=-x'], { 'snapshot-dir': '-x' })
test(understood, ['-s', '0x10', '-q'], { 'snapshot-dir': '0x10', quiet: true })
test(understood, [`--cassandra-dir='c d'`], { 'cassandra-dir': "'c d'" })
test(understood, ['-s', 'a\nb=c', '--data-dir=--x'], { 'snapshot-dir': 'a\nb=c', 'data-dir': ['--x'] })
test(understood, ['-s', '-'], { 'snapshot-dir': '-' })
test(understood, ['-q', '-q', '--quiet'], { quiet: true })
test(understood, ['-d', '/c'], { 'cassandra-dir': '/c' })
test(understood, ['-d', '-s', 'x'], { 'cassandra-dir': '', 'snapshot-dir': 'x' })
test(understood, ['-qd', '-s', 'x', 'ks'], { quiet: true, 'cassandra-dir': '', 'snapshot-dir': 'x' }, ['ks'])
test(understood, ['ks', '--cassandra_dir'], { 'cassandra-dir': '' }, ['ks'])
test(understood, ['--cassandra-dir='], { 'cassandra-dir': '' })
test(understood, ['--data-dir', 'a', '--data_dir=b'], { 'data-dir': ['a', 'b'] })
test(understood, ['1e3', '007', 'true'], {}, ['1e3', '007', 'true'])
test(understood, ['-q', 'true'], { quiet: true }, ['true'])
test(understood, ['--dry-run', 'false', '-', 'x.y'], { 'dry-run': true }, ['false', '-', 'x.y'])
test(understood, ['-d', 'true'], { 'cassandra-dir': 'true' })
test(understood, ['--', '-q', '--snapshot_dir'], {}, ['-q', '--snapshot_dir'])

const refused = test.macro({
	exec(t, line: string[], message: string, hint?: string) {
		const error = t.throws(() => parseArguments(line, FLAGS, ['snapshot-dir', 'quiet']), { instanceOf: SnaphavenError })
		t.is(error?.message, message)
		t.is(error?.hint, hint)
		t.is(error?.exitCode, 2)
	},
	title: (_, line) => `${JSON.stringify(line)} is refused with what was given and what was expected`,
})

const ALL = 'All flags: snaphaven --help'
test(refused, ['--dry-run=yes'], '--dry-run takes no value, but was given "yes"')
test(refused, ['--dry-run=false'], '--dry-run takes no value, but was given "false"')
test(refused, ['-q=1'], '-q takes no value, but was given "1"')
test(refused, ['-s'], '-s needs a value (-s DIR), but is the last word of the line')
test(refused, ['-s', ''], '-s needs a value (-s DIR), but was given an empty one')
test(refused, ['--snapshot-dir='], '--snapshot-dir needs a value (--snapshot-dir DIR), but was given an empty one')
test(
	refused,
	['-s', '-q'],
	'-s needs a value (-s DIR), but what follows is -q',
	'A value that begins with a dash is written --snapshot-dir=-q',
)
test(
	refused,
	['-s', '-5', 'ks'],
	'-s needs a value (-s DIR), but what follows is -5',
	'A value that begins with a dash is written --snapshot-dir=-5',
)
test(refused, ['-s', 'a', '--snapshot-dir', 'b'], '-s was given 2 times (a, b), where one was expected')
test(refused, ['--data-dir'], '--data-dir needs a value (--data-dir DIR), but is the last word of the line')
test(refused, ['--dry-rum'], 'unknown flag --dry-rum', `Did you mean --dry-run? ${ALL}`)
test(refused, ['--dry'], 'unknown flag --dry', `Did you mean --dry-run? ${ALL}`)
test(refused, ['--DRY_RUN=1'], 'unknown flag --DRY_RUN', `Did you mean --dry-run? ${ALL}`)
test(refused, ['-dry-run', '-x'], 'unknown flag -x', ALL)
test(refused, ['-quiet'], 'unknown flag -u (in -quiet)', `Did you mean --quiet? ${ALL}`)
test(refused, ['--no-quiet'], 'unknown flag --no-quiet', ALL)
test(refused, ['--constructor'], 'unknown flag --constructor', ALL)
test(refused, ['--__proto__=x'], 'unknown flag --__proto__', ALL)
test(
	refused,
	['-s', 'caf\ufffd'],
	'the argument "caf\ufffd" is not valid UTF-8, so what it names cannot be told',
	'Give a path that is UTF-8, for example a symbolic link to it.',
)

const asBefore = test.macro({
	exec(t, line: string, expected: Record<string, unknown>, keyspaces: string[]) {
		const { values, positionals } = parseArguments(line.split(' '), SYNC_FLAGS, PYTHON_FLAGS)
		t.like(values as Record<string, unknown>, expected)
		t.deepEqual(positionals, keyspaces)
	},
	title: (_, line) => `the Python snaphaven's line means what it meant: snaphaven ${line}`,
})

const NAS = '/mnt/nas_drive/cassandra_backup'
test(asBefore, `-s ${NAS} keyspace`, { 'snapshot-dir': NAS, quiet: false, verbosity: undefined }, ['keyspace'])
test(asBefore, `-s ${NAS} --snapshot_regex ^opcenter_ keyspace`, { 'snapshot-regex': '^opcenter_' }, ['keyspace'])
test(asBefore, `-s ${NAS} --move-snapshots keyspace`, { 'move-snapshots': true }, ['keyspace'])
test(asBefore, `-s ${NAS} --sync-sstables --fullsync keyspace`, { 'sync-sstables': true, fullsync: true }, ['keyspace'])
test(asBefore, `keyspace1 keyspace2  -s ${NAS}`.replace('  ', ' '), { 'snapshot-dir': NAS }, ['keyspace1', 'keyspace2'])
test(asBefore, `-v2 -d /c --snapshot_dir=${NAS} k`, { verbosity: '2', 'cassandra-dir': '/c', 'snapshot-dir': NAS }, [
	'k',
])
test(asBefore, `--verb 0 --move --full --cass /c -s x k`, { verbosity: '0', fullsync: true, 'cassandra-dir': '/c' }, [
	'k',
])
