import { lchownSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execa, execaSync } from 'execa'
import { runCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { makeTree, type Tree, takeSnapshot } from '../support/tree.ts'

/** Swaps in each mode, at least; SNAPHAVEN_SWAPS sets another number. */
const { SNAPHAVEN_SWAPS: swapsMin = 3000 } = process.env
const secret = 'secret'
/** A user who may write into the data directory and is neither root nor the one whom snaphaven runs as. */
const stranger = 54_321

const missing = process.getuid?.() === 0 ? pythonMissing() : 'needs root'

const swapper = join(import.meta.dirname, 'swap-links.py')

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length > 0 ? ', with --move-snapshots' : ''
	testWhere(missing, `what is swapped for a link at any instant leads nowhere else${mode}`, async (t) => {
		const own = await mkdtemp(join(tmpdir(), 'snaphaven-swap-'))
		t.teardown(() => rm(own, { recursive: true, force: true }))
		let swaps = 0
		let sealed = 0
		for (let round = 0; swaps < Number(swapsMin); round++) {
			const scene = makeScene(join(own, String(round)))
			const attacker = execa('python3', [swapper, ...scene.pairs])
			const { stdout, stderr } = await runCli([...scene.args, ...flags])
			attacker.stdin.end()
			swaps += Number((await attacker).stdout)
			sealed += stdout.split('\n').filter((line) => line.includes('"type":"sealed"')).length
			t.notRegex(stderr, /at .*\.js:\d/)
			const stolen = [...contentsOf(scene.haven)].filter(([, text]) => text.includes(secret))
			t.deepEqual(stolen, [], 'the haven has what lies elsewhere')
			t.deepEqual(contentsOf(scene.elsewhere), scene.secrets, 'what lies elsewhere has changed')
		}
		t.log(`${swaps} swaps, ${sealed} snapshots sealed meanwhile`)
		t.true(sealed > 0)
	})
}

interface Scene {
	haven: string
	/** The command line of a pass. */
	args: string[]
	/** A disk with the node's own names, of which nothing may be read or changed. */
	elsewhere: string
	secrets: Map<string, string>
	/** Paths on the node, each with the link that stands there now and then. */
	pairs: string[]
}

function makeScene(own: string): Scene {
	const tree = makeTree(join(own, 'node'), { tables: 4, sstables: 4, dataBytes: 20_000 })
	takeSnapshot(tree, 'daily')
	const elsewhere = join(own, 'elsewhere')
	execaSync('cp', ['-a', tree.root, elsewhere])
	// Of the same sizes, so that nothing but the way that led there tells them from the node's own.
	for (const [path, { length }] of contentsOf(elsewhere)) {
		if (!path.endsWith('manifest.json')) writeFileSync(join(elsewhere, path), secret.repeat(length).slice(0, length))
	}
	mkdirSync(join(own, 'links'))
	const pairs = targetsIn(tree).flatMap((path, number) => {
		const link = join(own, 'links', String(number))
		symlinkSync(join(elsewhere, relative(tree.root, path)), link)
		lchownSync(link, stranger, stranger)
		return [path, link]
	})
	const haven = join(own, 'haven')
	const args = ['sync', '--once', '--json', '--settle-time', '1', '-s', haven, ...tree.flags, tree.keyspace]
	return { haven, args, elsewhere, secrets: contentsOf(elsewhere), pairs }
}

/** A table's folder, a folder of snapshots, a tag's folder, and files. */
function targetsIn(tree: Tree): string[] {
	const [table = '', snapshots = '', tag = '', files = ''] = tree.folders.map((folder) =>
		join(tree.root, 'data', tree.keyspace, folder),
	)
	const inside = ['nb-1-big-Data.db', 'nb-2-big-TOC.txt', 'nb-3-big-Index.db', 'manifest.json']
	return [
		table,
		join(snapshots, 'snapshots'),
		join(tag, 'snapshots/daily'),
		...inside.map((name) => join(files, 'snapshots/daily', name)),
	]
}

/** The text of each file below a folder, by its path there; a link's is where it leads. */
function contentsOf(folder: string): Map<string, string> {
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
	return new Map(
		entries.map((entry) => {
			const path = join(entry.parentPath, entry.name)
			return [relative(folder, path), entry.isFile() ? readFileSync(path, 'latin1') : readlinkSync(path)]
		}),
	)
}

function pythonMissing(): string | undefined {
	return execaSync('python3', ['--version'], { reject: false }).exitCode === 0 ? undefined : 'needs Python'
}
