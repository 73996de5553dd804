import { existsSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { isLive } from '../live/support/live-set.ts'
import { trueReceipts } from '../mirror/support/scene.ts'
import { cliFile, nodeBinary, startCommand } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { compareMirror } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, makeTree, type Tree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { SERVICE_TIMEOUT_MS, sealedOf, superviseService } from './support/service.ts'

/** A command line of the Python snaphaven's README, and what it is for. */
interface Line {
	line: string
	keyspaces: string[]
	/** Which of `tags` it mirrors; default all. */
	only?: string[]
	moves?: boolean
	/** It mirrors live SSTables too. */
	live?: boolean
}

const LINES: Line[] = [
	{ line: 'snaphaven -s /mnt/nas_drive/cassandra_backup keyspace', keyspaces: ['keyspace'] },
	{
		line: "snaphaven -s /mnt/nas_drive/cassandra_backup --snapshot_regex '^opcenter_' keyspace",
		keyspaces: ['keyspace'],
		only: ['opcenter_1', 'opcenter_last'],
	},
	{
		line: 'snaphaven -s /mnt/nas_drive/cassandra_backup --move-snapshots keyspace',
		keyspaces: ['keyspace'],
		moves: true,
	},
	{
		line: 'snaphaven -s /mnt/nas_drive/cassandra_backup --sync-sstables --fullsync keyspace',
		keyspaces: ['keyspace'],
		live: true,
	},
	{
		line: '/usr/local/bin/snaphaven keyspace1 keyspace2  -s /mnt/nas_drive/cassandra_backup',
		keyspaces: ['keyspace1', 'keyspace2'],
	},
]

const tags = ['daily', 'of_opcenter_1', 'opcenter_1', 'opcenter_last']
const tables = 2

for (const one of LINES) {
	testWhere(missing(), `as the Python snaphaven’s README has it: ${one.line}`, async (t) => {
		const own = ownFolder(t)
		const haven = join(own, 'nas/cassandra_backup')
		const asked = one.keyspaces.map((keyspace, i) => makeNode(own, keyspace, i + 1))
		const other = makeNode(own, 'other', 9)
		const service = superviseService(t, start(one.line, own), haven)
		await service.ready()

		// The last tag is taken when the others have been seen, so that what is not to be mirrored had its time too.
		const wanted = one.only ?? tags
		for (const tag of tags) {
			for (const node of [other, ...asked]) takeSnapshot(node, tag)
			if (wanted.includes(tag)) {
				await service.until(tag, () => sealedOf({ haven }, tag) >= tables * asked.length)
			}
			for (const node of [other, ...asked]) flushTables(node)
		}
		const gone = () => asked.flatMap((node) => wanted.flatMap((tag) => tagFolders(node, tag)))
		if (one.moves) await service.until('the node is free', () => !gone().some(({ path }) => existsSync(path)))
		if (one.live) await service.until('the live SSTables', () => asked.every((node) => isLive({ haven, node })))
		await service.stop()

		const mirrored = one.live ? ['opcenter_before', ...wanted] : wanted
		const expected = asked.flatMap(({ keyspace, folders }) =>
			folders.flatMap((table) => mirrored.map((tag) => `${keyspace}/${table}/${tag}`)),
		)
		const receipts = trueReceipts(t, { haven })
		t.deepEqual(receipts.map(({ keyspace, table, tag }) => `${keyspace}/${table}/${tag}`).sort(), expected.sort())
		const all = (node: Tree, names: string[]) => names.flatMap((tag) => tagFolders(node, tag))
		const left = [
			...all(other, ['opcenter_before', ...tags]),
			...asked.flatMap((node) => all(node, ['opcenter_before'])),
		]
		t.true(left.every(({ path }) => existsSync(join(path, 'manifest.json'))))
		if (one.moves) return
		for (const node of asked) {
			const { compared, differences } = compareMirror(node, haven, (id) => expected.includes(id))
			t.deepEqual(differences, [])
			t.is(compared.snapshots, tables * mirrored.length)
		}
	})
}

/** A keyspace of the node, with a snapshot that was there before anything was started. */
function makeNode(own: string, keyspace: string, seed: number): Tree {
	const node = makeTree(join(own, 'cassandra'), { keyspace, tables, seed })
	takeSnapshot(node, 'opcenter_before')
	for (const { path } of tagFolders(node, 'opcenter_before')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
	return node
}

/** Puts folders of the test where the README's lines look. It runs where mounts are private to it. */
const PLACES = `
set -e
for folder in /var/lib /mnt; do mount -t tmpfs none "$folder"; done
mkdir /var/lib/cassandra /mnt/nas_drive
mount --bind "$1/cassandra" /var/lib/cassandra
mount --bind "$1/nas" /mnt/nas_drive
mount --bind "$1/bin" /usr/local/bin
PATH=/usr/local/bin:$PATH
cd /
`

/** Starts a command line as a shell does where the snaphaven of this checkout is installed, on a node with a NAS. */
function start(line: string, own: string) {
	for (const folder of ['nas', 'bin', 'home']) mkdirSync(join(own, folder))
	symlinkSync(nodeBinary, join(own, 'bin/node'))
	symlinkSync(cliFile, join(own, 'bin/snaphaven'))
	return startCommand(['sh', '-c', `${PLACES}exec ${line}`, 'sh', own], {
		wrapper: ['unshare', '--mount'],
		env: { HOME: join(own, 'home') },
		timeoutMs: SERVICE_TIMEOUT_MS,
	})
}

function missing(): string | undefined {
	if (execaSync('unshare', ['--mount', 'true'], { reject: false }).exitCode !== 0) return 'needs the right to mount'
	const hidden = ['/var/lib/', '/mnt/', '/usr/local/bin/'].find((folder) => cliFile.startsWith(folder))
	return hidden && `is in ${hidden}, which this test puts another folder over`
}
