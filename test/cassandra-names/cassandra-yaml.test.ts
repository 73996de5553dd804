import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readCassandraYaml, requireDataDirectories } from '../../src/cassandra/cassandra-yaml.ts'
import { SnaphavenError } from '../../src/errors.ts'

async function fileWith(t: ExecutionContext, text: string): Promise<string> {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-yaml-'))
	t.teardown(() => rm(folder, { recursive: true, force: true }))
	const path = join(folder, 'cassandra.yaml')
	await writeFile(path, text)
	return path
}

const read = test.macro({
	async exec(t, text: string, dataDirectories: string[] | undefined, clusterName: string | undefined) {
		t.deepEqual(await readCassandraYaml(await fileWith(t, text)), { dataDirectories, clusterName })
	},
	title: (name) => `${name} is read as Cassandra reads it`,
})

test('a list of folders', read, 'data_file_directories:\n  - /a\n  - /b\n', ['/a', '/b'], undefined)
test(
	"the system keyspaces' own folder",
	read,
	'data_file_directories: [/a]\nlocal_system_data_file_directory: /s\n',
	['/a'],
	undefined,
)
test('a name in quotes', read, "cluster_name: 'Test Cluster'\n", undefined, 'Test Cluster')
test('a name that looks like a number', read, 'cluster_name: 007\n', undefined, '007')
test('a name that looks like a truth', read, 'cluster_name: yes\n', undefined, 'yes')
test('a setting that stands twice', read, 'cluster_name: a\nfoo: 1\ncluster_name: b\n', undefined, 'b')
test(
	'a list whose entries are commented out',
	read,
	'data_file_directories:\n# - /a\ncluster_name: c\n',
	undefined,
	'c',
)
test('an empty list', read, 'data_file_directories: []\n', undefined, undefined)
test('a tag of a Java class', read, 'x: !!org.example.Thing {}\ncluster_name: c\n', undefined, 'c')

const refused = test.macro({
	async exec(t, text: string, message: string) {
		const path = await fileWith(t, text)
		const error = await t.throwsAsync(readCassandraYaml(path), { instanceOf: SnaphavenError })
		t.is(error?.message.replace(path, 'FILE'), message)
		t.is(error?.exitCode, 2)
	},
	title: (name) => `${name} is refused with the reason`,
})

test(
	'a file that is not YAML',
	refused,
	'a: 1\nb: [\n',
	'FILE is not YAML: line 3, column 1: Flow sequence in block collection must be sufficiently indented and end with a ]',
)
test(
	'an alias without its anchor',
	refused,
	'a: *b\n',
	'FILE is not YAML: Unresolved alias (the anchor must be set before the alias): b',
)
test(
	'a list',
	refused,
	'- a\n',
	'FILE is no cassandra.yaml: expected settings (name: value), found a list of other things',
)
test('an empty file', refused, '', 'FILE is no cassandra.yaml: expected settings (name: value), found nothing')
test(
	'a relative data directory',
	refused,
	'data_file_directories: [/a, data]\n',
	'FILE: the data directory "data" is relative to the folder that Cassandra is started in, which the file does not tell',
)
test(
	'a data directory that is no list',
	refused,
	'data_file_directories: /a\n',
	'FILE: data_file_directories should be a list of folders, but is "/a"',
)
test(
	'a data directory that is no name',
	refused,
	'data_file_directories: [/a, [/b]]\n',
	'FILE: data_file_directories should be a list of folders, but is a list of other things',
)
test(
	'a cluster without a name',
	refused,
	'cluster_name: {a: b}\n',
	'FILE: cluster_name should be a name, but is a set of settings',
)

test('a file that is not there, or is a folder, is told', async (t) => {
	const message = (path: string) => t.throwsAsync(readCassandraYaml(path), { instanceOf: SnaphavenError })
	t.is((await message('/nowhere/c.yaml'))?.message, '--cassandra-yaml /nowhere/c.yaml: there is no such file')
	t.is((await message(tmpdir()))?.message, `--cassandra-yaml ${tmpdir()}: it cannot be read (EISDIR)`)
})

test("where the file leaves the data directories to Cassandra's default, they are asked for", (t) => {
	const error = t.throws(() => requireDataDirectories({ dataDirectories: undefined, clusterName: 'c' }, 'c.yaml'), {
		instanceOf: SnaphavenError,
	})
	t.regex(error?.message ?? '', /\$CASSANDRA_HOME\/data\/data/)
	t.is(error?.hint, 'Name that folder by --data-dir DIR')
})
