import { once } from 'node:events'
import {
	chmodSync,
	chownSync,
	lchownSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { execa, execaSync } from 'execa'
import { runCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { linkBackups, makeTree, removeLive, type Tree, takeSnapshot } from '../support/tree.ts'

/** Swaps in each mode, at least, in place of the mode's own number. */
const { SNAPHAVEN_SWAPS } = process.env
const secret = 'secret'
/** Who owns the data directory. */
const cassandra = 54_320
/** A user who may write into the data directory and is neither root nor the one whom snaphaven runs as. */
const stranger = 54_321

const missing = process.getuid?.() === 0 ? pythonMissing() : 'needs root'

const swapper = join(import.meta.dirname, 'swap-links.py')

interface Mode {
	flags: string[]
	/** Of the lines of a run, those that say that something was done in spite of the swaps. */
	done: RegExp
	/** Swaps, at least; default 500. */
	swaps?: number
	/** What a restore restores into. */
	into?: 'live folders' | 'a node' | 'a folder'
}

const modes: Mode[] = [
	{ flags: [], done: /"type":"sealed"/ },
	{ flags: ['--move-snapshots'], done: /"type":"sealed"/ },
	{ flags: ['--sync-sstables'], done: /"type":"live"/ },
	{ flags: ['--backups', '--prune-backups', '--prune-backups-after', '0s'], done: /"type":"backups/ },
	{ flags: ['--offline'], done: /"type":"restored"/, into: 'live folders' },
	{ flags: ['--offline', '--replace'], done: /"type":"restored"/, into: 'live folders' },
	{ flags: ['--import'], done: /"type":"restored"/, into: 'a node', swaps: 250 },
	{ flags: ['--to'], done: /"type":"restored"/, into: 'a folder', swaps: 250 },
]

for (const mode of modes) {
	const title = `what is swapped for a link at any instant leads nowhere else: ${mode.into ? 'restore' : 'sync'} ${mode.flags.join(' ')}`
	testWhere(missing, title, async (t) => {
		const own = await mkdtemp(join(tmpdir(), 'snaphaven-swap-'))
		t.teardown(() => rm(own, { recursive: true, force: true }))
		let swaps = 0
		let done = 0
		// Where every round was hindered in all, nothing was tried that leads somewhere.
		const swapsMin = Number(SNAPHAVEN_SWAPS ?? mode.swaps ?? 500)
		for (let round = 0; swaps < swapsMin || (done === 0 && swaps < 10 * swapsMin); round++) {
			const scene = await makeScene(join(own, String(round)), mode)
			const attacker = execa('python3', [swapper, ...scene.pairs])
			await once(attacker.stdout, 'data')
			const { stdout, stderr } = await runCli(scene.args)
			attacker.stdin.end()
			swaps += Number((await attacker).stdout.replace('begun', ''))
			done += stdout.split('\n').filter((line) => mode.done.test(line)).length
			const stolen = [...contentsOf(scene.haven)].filter(([, text]) => text.includes(secret))
			t.deepEqual(stolen, [], 'the haven has what lies elsewhere')
			t.deepEqual(contentsOf(scene.elsewhere), scene.secrets, 'what lies elsewhere has changed')
			t.notRegex(stderr, /at .*\.js:\d|did not foresee/)
		}
		t.log(`${swaps} swaps, ${done} times something was done meanwhile`)
		t.true(done > 0)
	})
}

interface Scene {
	haven: string
	/** The command line. */
	args: string[]
	/** A disk with the node's own names, of which nothing may be read or changed. */
	elsewhere: string
	secrets: Map<string, string>
	/** Paths on the node, each with the link that stands there now and then. */
	pairs: string[]
}

async function makeScene(own: string, { flags, into }: Mode): Promise<Scene> {
	const size = into === 'a folder' ? { tables: 6, sstables: 2 } : { tables: 4, sstables: 4 }
	const tree = makeTree(join(own, 'node'), { ...size, dataBytes: 20_000 })
	linkBackups(tree, 2)
	takeSnapshot(tree, 'daily')
	const haven = join(own, 'haven')
	const sync = ['sync', '--once', '--json', '--settle-time', '1', '-s', haven, ...tree.flags, tree.keyspace]
	execaSync('chown', ['-R', `${cassandra}:${cassandra}`, tree.root])
	if (into) await runCli(sync)
	const elsewhere = join(own, 'elsewhere')
	execaSync('cp', ['-a', tree.root, elsewhere])
	execaSync('chown', ['-R', '0:0', elsewhere])
	if (into) makeStages(tree, elsewhere)
	// Of the same sizes, so that nothing but the way that led there tells them from the node's own.
	for (const [path, { length }] of contentsOf(elsewhere)) {
		if (path.endsWith('manifest.json') || lstatSync(join(elsewhere, path)).isDirectory()) continue
		writeFileSync(join(elsewhere, path), secret.repeat(length).slice(0, length))
	}
	// What is to come back.
	if (into && !flags.includes('--replace')) removeLive(tree)
	mkdirSync(join(own, 'links'))
	const targets =
		into === undefined ? targetsIn(tree) : into === 'a folder' ? folderTargetsIn(tree) : restoreTargetsIn(tree)
	const pairs = targets.flatMap((path, number) => {
		const link = join(own, 'links', String(number))
		symlinkSync(join(elsewhere, relative(tree.root, path)), link)
		lchownSync(link, stranger, stranger)
		return [path, link]
	})
	const restore = [
		'restore',
		'--json',
		'-s',
		haven,
		'-t',
		'daily',
		...flags,
		...placesOf(own, tree, into),
		tree.keyspace,
	]
	return { haven, args: into ? restore : [...sync, ...flags], elsewhere, secrets: contentsOf(elsewhere), pairs }
}

/** A table's folder, a folder of snapshots or of backups, a tag's folder, and files. */
function targetsIn(tree: Tree): string[] {
	const [table = '', snapshots = '', tag = '', files = ''] = tree.folders.map((folder) =>
		join(tree.root, 'data', tree.keyspace, folder),
	)
	const inside = ['nb-1-big-Data.db', 'nb-2-big-TOC.txt', 'nb-3-big-Index.db']
	return [
		table,
		join(snapshots, 'snapshots'),
		join(snapshots, 'backups'),
		join(tag, 'snapshots/daily'),
		...[...inside, 'manifest.json'].map((name) => join(files, 'snapshots/daily', name)),
		...inside.slice(0, 2).map((name) => join(files, name)),
		...inside.slice(2).map((name) => join(files, 'backups', name)),
	]
}

/** The words that say where a restore goes. */
function placesOf(own: string, tree: Tree, into: Mode['into']): string[] {
	if (into === 'a folder') return [restoredIn(tree)]
	if (into !== 'a node') return tree.flags
	const nodetool = join(own, 'nodetool')
	const words = ['python3', join(import.meta.dirname, 'nodetool-as.py'), tree.dataDirectories[0], cassandra]
	writeFileSync(nodetool, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`)
	chmodSync(nodetool, 0o755)
	return [...tree.flags, '--nodetool', nodetool]
}

/** The folder that is restored to, made beforehand by somebody else. */
function restoredIn(tree: Tree): string {
	const folder = join(tree.root, 'restored')
	mkdirSync(folder, { recursive: true })
	chownSync(folder, stranger, stranger)
	return folder
}

/** That folder, and what a restore makes in it. */
function folderTargetsIn(tree: Tree): string[] {
	const folder = restoredIn(tree)
	const [keyspace = '', table = '', partial = ''] = gatheredIn(tree)
	return [folder, ...['.snaphaven-restore', keyspace, table, partial].map((path) => join(folder, path))]
}

/** The keyspace's and a table's folder, and the folders that a restore makes for a time. */
function restoreTargetsIn(tree: Tree): string[] {
	const data = join(tree.root, 'data')
	const stage = join(data, '.snaphaven-restore')
	return [join(data, tree.keyspace, tree.folders[1] ?? ''), stage, ...stagedIn(tree).map((path) => join(data, path))]
}

function stagedIn(tree: Tree): string[] {
	return gatheredIn(tree).map((path) => join('.snaphaven-restore', path))
}

function gatheredIn({ keyspace, folders }: Tree): string[] {
	const names = folders.map((folder) => folder.slice(0, folder.indexOf('-')))
	const inner = names.flatMap((name) => [`${keyspace}/${name}`, `${keyspace}/.${name}.snaphaven-partial`])
	return [keyspace, ...inner]
}

/** Elsewhere too there are folders of such names, whose contents must not go. */
function makeStages(tree: Tree, elsewhere: string): void {
	const inFolder = ['.snaphaven-restore', ...gatheredIn(tree)].map((path) => join('restored', path))
	for (const path of [...stagedIn(tree).map((one) => join('data', one)), ...inFolder]) {
		const file = join(elsewhere, path, 'nb-9-big-Data.db')
		mkdirSync(dirname(file), { recursive: true })
		writeFileSync(file, secret)
	}
}

/** What is below a folder, by its path there: a file's text, where a link leads, whose a folder is. */
function contentsOf(folder: string): Map<string, string> {
	return new Map(
		readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
			const path = join(entry.parentPath, entry.name)
			return [relative(folder, path), entry.isDirectory() ? ownerOf(path) : textOf(path, entry.isFile())]
		}),
	)
}

function ownerOf(path: string): string {
	const { uid, gid, mode } = lstatSync(path)
	return `${uid} ${gid} ${mode.toString(8)}`
}

function textOf(path: string, isFile: boolean): string {
	return isFile ? readFileSync(path, 'latin1') : readlinkSync(path)
}

function pythonMissing(): string | undefined {
	return execaSync('python3', ['--version'], { reject: false }).exitCode === 0 ? undefined : 'needs Python'
}
