import {
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { execaSync } from 'execa'
import { runCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { readReceipts } from '../support/receipts.ts'
import { clearSnapshot, flushTables, tagFolders, takeSnapshot } from '../support/tree.ts'
import {
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	objectsOf,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

const NOW = ['--mirror-deletes', '--mirror-deletes-after', '0']

/** The tags that the haven has, of all tables; each of its receipts has to be true to the byte. */
function kept(t: ExecutionContext, scene: Scene): string[] {
	return trueReceipts(t, scene)
		.map(({ tag }) => tag)
		.sort()
}

/** A scene with two tags in the haven, of one of which the other shares files. */
async function sealedTwice(t: ExecutionContext, options: Parameters<typeof makeScene>[1] = {}): Promise<Scene> {
	const scene = makeScene(t, options)
	for (const tag of ['daily', 'weekly']) {
		takeSnapshot(scene.node, tag)
		flushTables(scene.node)
	}
	await scene.syncWell()
	return scene
}

test('what is cleared on the node is removed from the haven, and what others share with it stays whole', async (t) => {
	const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
	const shared = join(mirrored(scene, 'weekly'), 'nb-1-big-Data.db')
	t.is(lstatSync(shared).nlink, 2)
	clearSnapshot(scene.node, 'daily')
	const node = fingerprint(scene.node.root)
	const removed = objectsOf(await scene.syncWell([...NOW, '--json'])).filter(({ type }) => type === 'removed')
	t.deepEqual(
		removed.map(({ tag, table }) => [tag, table]).sort(),
		scene.node.folders.map((one) => ['daily', one]).sort(),
	)
	t.true(removed.every(({ bytes }) => Number(bytes) > 0))
	t.deepEqual(kept(t, scene), ['weekly', 'weekly'])
	t.false(existsSync(mirrored(scene, 'daily')))
	t.is(lstatSync(shared).nlink, 1)
	t.deepEqual(changesBetween(node, fingerprint(scene.node.root)), [])
	const { stdout } = await scene.syncWell(NOW)
	t.regex(stdout, /2 snapshots already safe in/)
})

test('without --mirror-deletes, and within the time after the seal, it stays', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	for (const flags of [[], ['--mirror-deletes'], ['--mirror-deletes', '--mirror-deletes-after', '600']]) {
		await scene.syncWell(flags)
		t.deepEqual(kept(t, scene), ['daily', 'weekly'])
	}
})

test('what we moved ourselves stays, also where it was sealed before it was moved', async (t) => {
	const scene = await sealedTwice(t)
	await scene.syncWell(['--move-snapshots', '--snapshot-regex', 'daily'])
	takeSnapshot(scene.node, 'later')
	await scene.syncWell(['--move-snapshots', '--snapshot-regex', 'later'])
	const { stdout } = await scene.syncWell(NOW)
	t.notRegex(stdout, /removed/)
	t.deepEqual(kept(t, scene), ['daily', 'later', 'weekly'])
})

test('a tag that was taken again is not removed, and its new content takes the place', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	takeSnapshot(scene.node, 'daily')
	const events = objectsOf(await scene.syncWell([...NOW, '--json'])).map(({ type }) => type)
	t.deepEqual(events, ['sealed', 'summary'])
	t.deepEqual(kept(t, scene), ['daily', 'weekly'])
	t.is(trueReceipts(t, scene).find(({ tag }) => tag === 'daily')?.files.length, 4 * 8 + 2)
})

test('what is not this run’s business stays: other tags, other tables, other keyspaces', async (t) => {
	const scene = await sealedTwice(t, { tables: 2 })
	for (const tag of ['daily', 'weekly']) clearSnapshot(scene.node, tag)
	await scene.syncWell([...NOW, '--snapshot-regex', 'daily', '--exclude-table', 't0001'])
	t.deepEqual(kept(t, scene), ['daily', 'weekly', 'weekly'])
	const other = `other/t-${'0'.repeat(32)}`
	mkdirSync(join(scene.node.dataDirectories[0] ?? '', other), { recursive: true })
	const flags = ['sync', '--once', '-s', scene.haven, ...scene.node.flags, ...NOW, 'other']
	t.is((await runCli(flags, { stateDirectory: scene.state })).exitCode, 0)
	t.deepEqual(kept(t, scene), ['daily', 'weekly', 'weekly'])
})

test('a link in the place of a snapshot’s folder is no sign that it was cleared', async (t) => {
	const scene = await sealedTwice(t)
	for (const { path } of tagFolders(scene.node, 'daily')) {
		renameSync(path, join(scene.own, 'elsewhere'))
		symlinkSync(join(scene.own, 'elsewhere'), path)
	}
	await scene.syncWell(NOW)
	t.deepEqual(kept(t, scene), ['daily', 'weekly'])
})

test('a dry run tells what would be removed, and removes nothing', async (t) => {
	const scene = await sealedTwice(t)
	clearSnapshot(scene.node, 'daily')
	const before = fingerprint(scene.own)
	const { stdout } = await scene.syncWell([...NOW, '--dry-run'])
	t.regex(stdout, /would remove ks\.t0000 daily: cleared on the node/)
	t.regex(stdout, /plan: nothing to do, 1 snapshot to remove from the haven/)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
})

test('a table that is gone with its snapshots is removed, as long as others of its keyspace are there', async (t) => {
	const scene = await sealedTwice(t, { tables: 2, dataDirectories: 2 })
	const [first = '', second = ''] = scene.node.folders
	for (const path of scene.node.dataDirectories) rmSync(join(path, 'ks', first), { recursive: true })
	const { stdout } = await scene.syncWell(NOW)
	t.regex(stdout, /2 snapshots removed from the haven/)
	t.deepEqual(
		trueReceipts(t, scene).map(({ table }) => table),
		[second, second],
	)
})

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

/**
 * Kills the process before one call of those that a removal makes, the so-manieth in all its threads, as a module for
 * --import. Of the files that go one by one, those of JSON count alone.
 */
function killer(counter: string, call: number): string {
	return `
import fs from 'node:fs'
const one = /\\.removed|removal-\\d/
for (const name of ['rename', 'unlink', 'rmdir']) {
	for (const way of [name, name + 'Sync']) {
		const real = fs[way]
		fs[way] = (path, to, ...rest) => {
			const counts = one.test(path) || one.test(to)
			if (counts && (name !== 'unlink' || /json$/.test(path))) {
				fs.appendFileSync(${JSON.stringify(counter)}, '.')
				if (fs.statSync(${JSON.stringify(counter)}).size === ${call}) process.kill(process.pid, 'SIGKILL')
			}
			return real(path, to, ...rest)
		}
	}
}`
}

test('a kill before any step of a removal leaves each snapshot whole, or in doubt, and the next run finishes', async (t) => {
	const scene = makeScene(t, { sstables: 1, dataBytes: 500 })
	for (const tag of ['daily', 'other', 'weekly']) takeSnapshot(scene.node, tag)
	await scene.syncWell()
	for (const tag of ['daily', 'other']) clearSnapshot(scene.node, tag)
	const whole = join(scene.own, 'whole')
	execaSync('cp', ['-a', scene.haven, whole])
	let kills = 0
	for (let call = 1; ; call++) {
		rmSync(scene.haven, { recursive: true })
		execaSync('cp', ['-a', whole, scene.haven])
		const counter = join(scene.own, `calls-${call}`)
		const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(killer(counter, call))}` }
		const { signal, exitCode, stderr } = await scene.sync(NOW, { env })
		if (signal === undefined) {
			t.is(exitCode, 0, stderr)
			break
		}
		kills++
		const inDoubt = intended(scene)
		for (const tag of ['daily', 'other', 'weekly']) {
			if (inDoubt.includes(tag)) continue
			const receipt = existsSync(receiptOf(scene, tag))
			t.is(receipt, existsSync(mirrored(scene, tag)), `${tag}, killed before call ${call}`)
			if (tag === 'weekly') t.true(receipt)
		}
		await scene.syncWell(NOW)
		t.deepEqual(kept(t, scene), ['weekly'], `killed before call ${call}`)
		t.deepEqual(readdirSync(join(mirrored(scene, 'weekly'), '..')), ['weekly'])
	}
	// Two renames for each, the intent, and then two receipts, manifests and folders.
	t.is(kills, 4 + 1 + 6)
})

function receiptOf({ haven, node }: Scene, tag: string): string {
	return join(haven, '.snaphaven/receipts/ks', node.folders[0] ?? '', `${tag}.json`)
}

/** The tags that an intent of a removal names. */
function intended({ haven }: Scene): string[] {
	const partial = join(haven, '.snaphaven/partial')
	return readdirSync(partial, { recursive: true, encoding: 'utf8' })
		.filter((name) => /\/removal-\d+\.json$/.test(name))
		.flatMap((name) => JSON.parse(readFileSync(join(partial, name), 'utf8')).removals)
		.map(({ key }) => key.tag)
}
