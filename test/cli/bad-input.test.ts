import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { assertNoTrace, changesBetween, fingerprint, makeScene, type Scene } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { takeSnapshot } from '../support/tree.ts'

interface BadInput {
	/** What is wrong, for the title. */
	what: string
	/** The command line, and what it finds. */
	args: (scene: Scene) => string[]
	message: RegExp
	/** What to do about it. */
	hint: RegExp
	exitCode?: 1 | 2
}

/** A command line that would do well. */
function well({ haven, node }: Scene, ...more: string[]): string[] {
	return ['sync', '--once', '-s', haven, ...node.flags, ...more, 'ks']
}

/** The same with another haven. */
function into(haven: string, { node }: Scene): string[] {
	return ['--once', '-s', haven, ...node.flags, 'ks']
}

function dataOf({ node }: Scene): string {
	return node.dataDirectories[0] ?? ''
}

const badInputs: BadInput[] = [
	{
		what: 'a data directory that is not there',
		args: ({ haven }) => ['--once', '-s', haven, '-d', '/nowhere/cassandra', 'ks'],
		message: /the data directory \/nowhere\/cassandra\/data does not exist/,
		hint: /Give the folder above Cassandra’s "data" with -d, each data directory with --data-dir, or --cassandra-yaml/,
	},
	{
		what: 'a data directory that is a file',
		args: (scene) => {
			writeFileSync(join(scene.own, 'file'), 'x')
			return ['--once', '-s', scene.haven, '--data-dir', join(scene.own, 'file'), 'ks']
		},
		message: /the data directory \S+file is not a directory/,
		hint: /--data-dir/,
	},
	{
		what: 'a data directory that is a link to itself',
		args: (scene) => {
			symlinkSync('loop', join(scene.own, 'loop'))
			return ['--once', '-s', scene.haven, '--data-dir', join(scene.own, 'loop'), 'ks']
		},
		message: /the data directory \S+loop can’t be opened \(ELOOP\)/,
		hint: /--data-dir/,
	},
	{
		what: 'a data directory without any keyspace, as of a disk that is not mounted',
		args: (scene) => {
			mkdirSync(join(scene.own, 'empty'))
			return ['--once', '-s', scene.haven, '--data-dir', join(scene.own, 'empty'), '--all-keyspaces']
		},
		message: /no keyspace at all in \S+empty/,
		hint: /does -d name the folder that holds Cassandra’s "data"/,
	},
	{
		what: 'no keyspace',
		args: (scene) => well(scene).slice(0, -1),
		message: /which keyspaces\? None is named/,
		hint: /--all-keyspaces/,
	},
	{
		what: 'an unknown keyspace',
		args: (scene) => [...well(scene), 'shop'],
		message: /no keyspace "shop" in \S+data/,
		hint: /These keyspaces are there: ks\./,
	},
	{
		what: 'a keyspace that is a path',
		args: (scene) => [...well(scene), '../ks'],
		message: /"\.\.\/ks" is no keyspace's name/,
		hint: /--include-table/,
	},
	{
		what: 'a bad regular expression',
		args: (scene) => well(scene, '--snapshot-regex', 'daily_(\\d'),
		message: /the expression daily_\(\\d is wrong at/,
		hint: /./,
	},
	{
		what: 'a bad glob',
		args: (scene) => well(scene, '--include-table', 't[0'),
		message: /--include-table "t\[0" is no glob/,
		hint: /./,
	},
	...['x', '-1', '1e3', '86401', ''].map((seconds) => ({
		what: `a settle time of "${seconds}"`,
		args: (scene: Scene) => well(scene, `--settle-time=${seconds}`),
		message: /--settle-time (expects seconds, from 0 to 86400|needs a value)/,
		hint: /./,
	})),
	{
		what: 'a verbosity of 3',
		args: (scene) => well(scene, '-v', '3'),
		message: /-v expects 0, 1 or 2, but was given "3"/,
		hint: /./,
	},
	{
		what: 'an unknown format of the log',
		args: (scene) => well(scene, '--log-format', 'xml'),
		message: /--log-format expects text or json, but was given "xml"/,
		hint: /./,
	},
	{
		what: 'no haven',
		args: ({ node }) => ['--once', ...node.flags, 'ks'],
		message: /-s HAVEN is missing/,
		hint: /-s \/mnt\/nas/,
	},
	{
		what: 'a haven that is a file',
		args: (scene) => {
			writeFileSync(join(scene.own, 'file'), 'x')
			return into(join(scene.own, 'file'), scene)
		},
		message: /the haven \S+file is not a directory/,
		hint: /Give a folder/,
	},
	{
		what: 'a haven below a file',
		args: (scene) => {
			writeFileSync(join(scene.own, 'file'), 'x')
			return into(join(scene.own, 'file/haven'), scene)
		},
		message: /the haven \S+file\/haven lies below a file/,
		hint: /Give a folder/,
	},
	{
		what: 'a haven that is a link to itself',
		args: (scene) => {
			symlinkSync('loop', join(scene.own, 'loop'))
			return into(join(scene.own, 'loop'), scene)
		},
		message: /the haven \S+loop is no path that can be/,
		hint: /Give the path of a folder/,
	},
	{
		what: 'the root as haven',
		args: (scene) => into('/', scene),
		message: /the haven can’t be \//,
		hint: /-s \/mnt\/nas\/cassandra/,
	},
	{
		what: 'a haven inside the data',
		args: (scene) => into(join(dataOf(scene), 'ks/haven'), scene),
		message: /the haven \S+ lies inside the data directory/,
		hint: /Give a place outside/,
	},
	{
		what: 'a haven inside the data by way of a link',
		args: (scene) => {
			symlinkSync(dataOf(scene), join(scene.own, 'link'))
			return into(join(scene.own, 'link/haven'), scene)
		},
		message: /the haven \S+link\/haven lies inside the data directory/,
		hint: /Give a place outside/,
	},
	{
		what: 'the data inside the haven',
		args: (scene) => into(scene.own, scene),
		message: /the data directory \S+ lies inside the haven/,
		hint: /a folder of its own beside the data/,
	},
	{
		what: 'an unknown placeholder in the haven',
		args: (scene) => into(join(scene.own, '{hots}'), scene),
		message: /\{hots\} is no placeholder/,
		hint: /\{host\}/,
	},
	{
		what: 'an unknown flag',
		args: (scene) => well(scene, '--dry-rnu'),
		message: /unknown flag --dry-rnu/,
		hint: /Did you mean --dry-run\?/,
	},
	{
		what: 'a haven of a newer format',
		args: (scene) => {
			mkdirSync(join(scene.haven, '.snaphaven'), { recursive: true })
			writeFileSync(join(scene.haven, '.snaphaven/haven.json'), withChecksum('{"format":2,"id":"x"}'))
			return well(scene)
		},
		message: /the haven \S+ has format 2, and this snaphaven understands format 1/,
		hint: /update this one/,
	},
	{
		what: 'a haven whose haven.json is damaged',
		args: (scene) => {
			mkdirSync(join(scene.haven, '.snaphaven'), { recursive: true })
			writeFileSync(join(scene.haven, '.snaphaven/haven.json'), '{"format":1,"id":"x"}\n')
			return well(scene)
		},
		message: /haven\.json is damaged: its checksum does not hold/,
		hint: /--new-haven/,
		exitCode: 1,
	},
	{
		what: 'a cassandra.yaml that is not there',
		args: ({ haven }) => ['--once', '-s', haven, '--cassandra-yaml', '/nowhere/cassandra.yaml', 'ks'],
		message: /--cassandra-yaml \/nowhere\/cassandra\.yaml: there is no such file/,
		hint: /./,
	},
]

for (const { what, args, message, hint, exitCode = 2 } of badInputs) {
	for (const more of what === 'an unknown keyspace' ? [[], ['--json'], ['--dry-run']] : [[]]) {
		test(`${what} is told by name, with what to do, and nothing is touched ${more}`, async (t) => {
			const scene = makeScene(t)
			takeSnapshot(scene.node, 'daily')
			const line = [...args(scene)]
			const before = fingerprint(scene.own)
			const result = await runCli([...line, ...more], { stateDirectory: scene.state })
			t.is(result.exitCode, exitCode, result.stderr)
			t.regex(result.stderr, message)
			t.regex(result.stderr, hint)
			t.regex(result.stderr, /^error: /)
			assertNoTrace(t, result)
			t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
			if (more.includes('--json'))
				t.like(JSON.parse(result.stdout), { type: 'error', exitCode, message: expectedText(result.stderr) })
			else t.is(result.stdout, '')
		})
	}
}

function expectedText(stderr: string): string {
	return /^error: (.*)$/m.exec(stderr)?.[1] ?? ''
}

async function afterFirstRun(t: ExecutionContext, change: (scene: Scene) => void): Promise<Scene> {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	change(scene)
	return scene
}

test('a NAS that is not mounted is waited for by nobody, exit 1, and no haven is made in its place', async (t) => {
	const scene = await afterFirstRun(t, ({ haven }) => {
		renameSync(haven, `${haven}-unmounted`)
		mkdirSync(haven)
	})
	const before = fingerprint(scene.own)
	const result = await scene.sync()
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /a haven was at \S+ before, and is not there now: is the NAS mounted\?\n.*--new-haven/)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
	rmSync(scene.haven, { recursive: true })
	renameSync(`${scene.haven}-unmounted`, scene.haven)
	t.regex((await scene.syncWell()).stdout, /1 snapshot already safe/)
})

test('a receipt that was damaged is named, exit 1, and its snapshot is mirrored anew', async (t) => {
	const scene = await afterFirstRun(t, ({ haven, node }) => {
		const file = join(haven, '.snaphaven/receipts/ks', node.folders[0] ?? '', 'daily.json')
		writeFileSync(file, readFileSync(file, 'utf8').replace('whole', 'whale'))
	})
	const result = await scene.sync()
	t.is(result.exitCode, 1)
	t.regex(
		result.stderr,
		/the receipt \.snaphaven\/receipts\/ks\/t0000-\w+\/daily\.json does not count: its checksum does not hold/,
	)
	t.regex(result.stdout, /^sealed ks\.t0000 daily/m)
	await scene.syncWell()
})

for (const path of ['data', 'data/ks', '.snaphaven/partial', '.snaphaven/receipts/ks']) {
	test(`a haven that has a link in place of ${path} is refused, and what it leads to stays as it is`, async (t) => {
		const scene = await afterFirstRun(t, ({ haven, own }) => {
			renameSync(join(haven, path), join(own, 'elsewhere'))
			symlinkSync(join(own, 'elsewhere'), join(haven, path))
		})
		takeSnapshot(scene.node, 'weekly')
		const before = fingerprint(join(scene.own, 'elsewhere'))
		const result = await scene.sync()
		t.is(result.exitCode, 1)
		t.true(result.stderr.includes(`${path} in the haven is a symbolic link`), result.stderr)
		assertNoTrace(t, result)
		t.deepEqual(changesBetween(before, fingerprint(join(scene.own, 'elsewhere'))), [])
	})
}
