import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test from 'ava'
import { execaSync } from 'execa'
import { testWhere } from '../support/not-run.ts'
import { readReceipts } from '../support/receipts.ts'
import { clearSnapshot } from '../support/tree.ts'
import { kept, NOW, sealedTwice } from './support/mirror-deletes.ts'
import { type Scene, trueReceipts } from './support/scene.ts'

const vanished: [string, (scene: Scene) => void, RegExp][] = [
	[
		'a keyspace’s folder is empty in one of the data directories',
		({ node }) => {
			const keyspace = join(node.dataDirectories[1] ?? '', 'ks')
			renameSync(keyspace, `${keyspace}.away`)
			mkdirSync(keyspace)
		},
		/of ks that are not on the node any more stay in the haven: \S+\/data2\/ks has none of the tables that the haven knows/,
	],
	[
		'a keyspace’s folder is missing in one of the data directories',
		({ node }) => {
			const keyspace = join(node.dataDirectories[1] ?? '', 'ks')
			renameSync(keyspace, `${keyspace}.away`)
		},
		/of ks that are not on the node any more stay in the haven: \S+\/data2 has no folder of the keyspace/,
	],
	[
		'all tables of the keyspace are gone',
		({ node }) => {
			for (const path of node.dataDirectories) {
				renameSync(join(path, 'ks'), join(path, 'ks.away'))
				mkdirSync(join(path, 'ks'))
			}
		},
		/of ks that are not on the node any more stay in the haven: \S+\/data\/ks has none of the tables that the haven knows/,
	],
	[
		'there are the tables of another disk instead',
		({ node }) => {
			for (const path of node.dataDirectories) {
				renameSync(join(path, 'ks'), join(path, 'ks.away'))
				mkdirSync(join(path, `ks/other-${'0'.repeat(32)}`), { recursive: true })
			}
		},
		/of ks that are not on the node any more stay in the haven: \S+\/data\/ks has none of the tables that the haven knows/,
	],
	[
		'a table’s folder is gone from one of the data directories',
		({ node }) => {
			const table = join(node.dataDirectories[1] ?? '', 'ks', node.folders[0] ?? '')
			renameSync(table, `${table}.away`)
		},
		/of ks\.t0000 that are not on the node any more stay in the haven: \S+\/data2 has no folder of the table, and another/,
	],
]
for (const [what, vanish, reason] of vanished) {
	test(`nothing is removed where ${what}, and that is told`, async (t) => {
		const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
		// Both, so that nothing on the node is waited for.
		for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
		vanish(scene)
		const { stderr } = await scene.syncWell(NOW)
		t.regex(stderr, reason)
		t.is(stderr.match(/stay in the haven/g)?.length, 1, stderr)
		const left = trueReceipts(t, scene).filter(({ table }) => table === scene.node.folders[0])
		t.is(left.length, 2)
	})
}

/** The folders below a data directory made anew and empty, as Cassandra does on a disk that was replaced. */
function remake(path: string, folders: string[]): void {
	renameSync(path, `${path}.away`)
	mkdirSync(path)
	for (const folder of folders) mkdirSync(join(path, folder), { recursive: true })
}

const replaced: [string, (scene: Scene) => void, RegExp, number][] = [
	[
		'the disk was replaced, and Cassandra has made its folders anew',
		({ node }) => {
			for (const path of node.dataDirectories)
				remake(
					path,
					node.folders.map((folder) => `ks/${folder}`),
				)
		},
		/of ks that are not on the node any more stay in the haven: in \S+\/data the keyspace’s folder is another than/,
		4,
	],
	[
		'one of several disks was replaced',
		({ node }) =>
			remake(
				node.dataDirectories[1] ?? '',
				node.folders.map((folder) => `ks/${folder}`),
			),
		/of ks that are not on the node any more stay in the haven: in \S+\/data2 the keyspace’s folder is another than/,
		4,
	],
	[
		'an empty folder is in the place of a table’s',
		({ node }) => remake(join(node.dataDirectories[1] ?? '', 'ks', node.folders[0] ?? ''), []),
		/of ks\.t0000 that are not on the node any more stay in the haven: in \S+\/data2 the table’s folder is another than/,
		2,
	],
	[
		'a table is missing in a keyspace’s folder that was made anew',
		({ node: { dataDirectories, folders } }) => {
			for (const path of dataDirectories) {
				remake(join(path, 'ks'), [])
				renameSync(join(path, 'ks.away', folders[1] ?? ''), join(path, 'ks', folders[1] ?? ''))
			}
		},
		/of ks that are not on the node any more stay in the haven: in \S+\/data the keyspace’s folder is another than/,
		2,
	],
]
for (const [what, replace, reason, count] of replaced) {
	test(`nothing is removed of a table where ${what}, and that is told once`, async (t) => {
		const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
		for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
		replace(scene)
		const { stderr } = await scene.syncWell(NOW)
		t.regex(stderr, reason)
		t.is(stderr.match(/stay in the haven/g)?.length, 1, stderr)
		const left = trueReceipts(t, scene)
		t.is(left.length, count)
		t.is(left.filter(({ table }) => table === scene.node.folders[0]).length, 2)
	})
}

test('nothing is removed by a receipt that does not say which folders it is of, and that is told once', async (t) => {
	const scene = await sealedTwice(t, { tables: 2 })
	for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
	for (const { file } of readReceipts(scene.haven)) {
		const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n').slice(0, -2)
		const { source, ...others } = JSON.parse(`${head.slice(0, -1)}}`)
		t.is(source.parents.length, 1)
		const { parents, ...older } = source
		const lines = [`${JSON.stringify({ ...others, source: older }).slice(0, -1)},`, ...rest, '']
		const text = lines.join('\n')
		writeFileSync(file, `${text}"checksum":"${crc32(text).toString(16).padStart(8, '0')}"}\n`)
	}
	const { stderr } = await scene.syncWell(NOW)
	t.regex(stderr, /of ks that are not .* stay in the haven: receipts of an older snaphaven do not say which folder of/)
	t.is(stderr.match(/stay in the haven/g)?.length, 1, stderr)
	t.deepEqual(kept(t, scene), ['daily', 'daily', 'weekly', 'weekly'])
})

test('a data directory that this run was not given keeps what lay in it', async (t) => {
	const scene = await sealedTwice(t, { dataDirectories: 2 })
	for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
	scene.node.flags.splice(2)
	const { stderr } = await scene.syncWell(NOW)
	t.regex(stderr, /\/data2, which they came from, is none of the data directories of this run/)
	t.deepEqual(kept(t, scene), ['daily', 'weekly'])
})

const unshare = execaSync('unshare', ['--mount', 'true'], { reject: false }).exitCode === 0
testWhere(
	unshare ? undefined : 'needs the right to mount',
	'nothing is removed where a keyspace’s disk is mounted over, as another one in its place would be',
	async (t) => {
		const scene = await sealedTwice(t, { dataDirectories: 2 })
		for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
		const keyspace = join(scene.node.dataDirectories[1] ?? '', 'ks')
		const wrapper = ['unshare', '--mount', 'sh', '-c', `mount -t tmpfs none '${keyspace}' && exec "$@"`, 'sh']
		const { stderr } = await scene.syncWell(NOW, { wrapper })
		t.regex(stderr, /data2\/ks has none of the tables that the haven knows/)
		t.deepEqual(kept(t, scene), ['daily', 'weekly'])
		await scene.syncWell(NOW)
		t.deepEqual(kept(t, scene), [])
	},
)
