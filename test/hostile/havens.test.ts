import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { NodeFacts } from '../../src/cassandra/facts.ts'
import { runSync } from '../../src/files/io.ts'
import { keepFacts } from '../../src/haven/facts.ts'
import { receiptPath, type SnapshotKey } from '../../src/haven/layout.ts'
import { writeLiveIntent } from '../../src/haven/live-turn.ts'
import { writeIntent } from '../../src/haven/publish.ts'
import { writeRemovals } from '../../src/haven/remove.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { changesBetween, fingerprint } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { flushTables, linkBackups, makeTree, type Tree, takeSnapshot } from '../support/tree.ts'
import { makeRunner, wrongWith } from './support/runner.ts'

/** Havens that somebody else has written; SNAPHAVEN_HOSTILE sets another number, SNAPHAVEN_SEED tries others. */
const { SNAPHAVEN_HOSTILE = 3, SNAPHAVEN_SEED = 1 } = process.env
const runs = { numRuns: Number(SNAPHAVEN_HOSTILE), seed: Number(SNAPHAVEN_SEED), endOnFailure: true }

interface Scene {
	own: string
	node: Tree
	/** Not to be changed: each case has a copy of its own. */
	haven: string
	/** Has what the haven has, and is nobody's business. */
	elsewhere: string
	records: string[]
}

/** A haven with a record of each kind. */
async function makeScene(t: ExecutionContext): Promise<Scene> {
	const own = ownFolder(t)
	const node = makeTree(join(own, 'node'), { tables: 2, sstables: 1, dataBytes: 400 })
	const [haven, elsewhere] = [join(own, 'havens/first'), join(own, 'elsewhere')]
	const sync = [
		'sync',
		'--once',
		'--sync-sstables',
		'--backups',
		'--settle-time',
		'0',
		'-s',
		haven,
		...node.flags,
		'ks',
	]
	for (const tag of ['monday', 'Tuesday 2']) {
		flushTables(node)
		linkBackups(node)
		takeSnapshot(node, tag)
		await runCli(sync)
	}
	await runCli(['verify', '-s', haven])
	cpSync(haven, elsewhere, { recursive: true })
	writeFileSync(join(elsewhere, 'secret'), 'secret')
	leaveHalfDone(haven, node)
	const records = readdirSync(join(haven, '.snaphaven'), { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.(json|progress)$/.test(entry.name))
		.map((entry) => relative(haven, join(entry.parentPath, entry.name)))
	return { own, node, haven, elsewhere, records: records.sort() }
}

/** What a run that was killed may leave: an intent of each kind, and noted pieces. */
function leaveHalfDone(haven: string, { folders }: Tree): void {
	const partial = '.snaphaven/partial/0123456789abcdef'
	mkdirSync(join(haven, partial))
	const [one = '', other = ''] = folders
	const key = (table: string, tag: string): SnapshotKey => ({ keyspace: 'ks', table, tag })
	const receipt = JSON.parse(readFileSync(join(haven, receiptPath(key(one, 'monday'))), 'utf8'))
	const live = JSON.parse(readFileSync(join(haven, receiptPath(key(one, ''))), 'utf8'))
	const [first = { path: '' }, ...rest] = live.files as { path: string }[]
	const turn = {
		number: 2,
		key: key(one, ''),
		receiptChecksum: live.checksum,
		folders: [],
		add: rest.map(({ path }) => path),
	}
	const publication = { number: 1, key: key(one, 'monday'), receiptChecksum: receipt.checksum }
	runSync(writeIntent(haven, `${partial}/group-1.json`, [publication], false))
	runSync(
		writeLiveIntent(
			haven,
			`${partial}/live-2.json`,
			[
				{
					...turn,
					replace: [],
					clear: [],
					remove: [`gone-${first.path}`],
					keepIn: '.snaphaven/deleted/2026-11-21/ks/t',
				},
			],
			false,
		),
	)
	runSync(
		writeRemovals(
			haven,
			`${partial}/removal-3.json`,
			[{ number: 3, key: key(other, 'monday'), receiptId: 'x' }],
			false,
		),
	)
	const piece = { path: first.path, size: 1, mtimeNs: '1', ino: '1', offset: 0, length: 1, crc: 1 }
	writeFileSync(
		join(haven, partial, '4.progress'),
		`${[key(one, 'friday'), piece].map((line) => JSON.stringify(line)).join('\n')}\n`,
	)
	const facts: NodeFacts = { source: 'cql', node: { tokens: ['1'] }, schema: [], roles: [], grants: [], missing: [] }
	runSync(
		keepFacts(
			haven,
			partial,
			{
				tags: ['monday'],
				at: '2026-11-21T08:00:00.000Z',
				facts,
			},
			{ flushFolders: false },
		),
	)
}

const climbing = Array.from({ length: 9 }, (_, at) => `${'../'.repeat(at)}elsewhere`)
const hostile = fc.oneof(
	fc.constantFrom<unknown>(
		...climbing,
		...climbing.map((path) => `${path}/secret`),
		...climbing.map((path) => `../${path}/data`),
	),
	fc.constantFrom<unknown>(
		'',
		'.',
		'..',
		'/',
		'/etc/passwd',
		'a\0b',
		'a\nb',
		'\udcff',
		'\ud800',
		'__proto__',
		'x'.repeat(300),
		'backups/../../x',
		'backups/apart/..',
		'-1',
		'0'.repeat(50),
		'9'.repeat(30),
		'Infinity',
	),
	fc.constantFrom<unknown>(
		null,
		true,
		false,
		0,
		-1,
		0.5,
		1e308,
		2 ** 53,
		[],
		{},
		[null],
		[[]],
		{ length: 3 },
		deep(5000),
	),
	fc.jsonValue({ maxDepth: 2 }),
)

function deep(levels: number): unknown {
	let value: unknown = []
	for (let level = 0; level < levels; level++) value = [value]
	return value
}

const change = fc.record({
	at: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
	value: hostile,
	isGone: fc.nat(9).map((number) => number === 0),
})
type Change = { at: number[]; value: unknown; isGone: boolean }

/** Replaces, or takes out, what chance leads to. */
function apply(root: unknown, { at, value, isGone }: Change): unknown {
	let place = root
	for (const [depth, number] of at.entries()) {
		if (typeof place !== 'object' || place === null) return root
		const keys = Object.keys(place).filter((key) => key !== 'checksum')
		const key = keys[number % Math.max(1, keys.length)]
		if (key === undefined) return root
		const known = place as Record<string, unknown>
		const inner = known[key]
		if (
			typeof inner === 'object' &&
			inner !== null &&
			Object.keys(inner).length > 0 &&
			depth < at.length - 1 &&
			number % 7 !== 0
		) {
			place = inner
			continue
		}
		if (isGone) delete known[key]
		else known[key] = value
		return root
	}
	return root
}

/** Writes the record anew with a checksum that holds, as receipts' lines are; under the name that what it says has, if it can have one. */
function spoil(haven: string, path: string, changes: Change[]): void {
	const file = join(haven, path)
	if (path.endsWith('.progress')) {
		const lines = readFileSync(file, 'utf8').trim().split('\n')
		writeFileSync(
			file,
			`${lines.map((line, at) => JSON.stringify(at === 1 ? changes.reduce(apply, JSON.parse(line)) : JSON.parse(line))).join('\n')}\n`,
		)
		return
	}
	const { checksum: _, ...record } = JSON.parse(readFileSync(file, 'utf8'))
	const spoilt = changes.reduce<Record<string, unknown>>(
		(value, one) => apply(value, one) as Record<string, unknown>,
		record,
	)
	const { folders, files, ...head } = spoilt
	const isReceipt = 'files' in record
	const text = isReceipt
		? `${JSON.stringify(head).slice(0, -1)},\n"folders":${JSON.stringify(folders)},\n"files":${JSON.stringify(files)}}`
		: JSON.stringify(spoilt)
	writeFileSync(file, withChecksum(text))
	if (!isReceipt) return
	try {
		const name = join(haven, receiptPath(head as unknown as SnapshotKey))
		if (!name.startsWith(`${haven}/.snaphaven/`)) return
		mkdirSync(dirname(name), { recursive: true })
		renameSync(file, name)
	} catch {
		// No such name can be.
	}
}

/** Everything that reads a haven; what writes comes last. */
function commandsOn({ node }: Scene, haven: string, to: string): string[][] {
	const s = ['-s', haven, '--take-over']
	const plain = ['-s', haven]
	return [
		['list', ...plain, '--json', '--files'],
		['verify', ...plain],
		['restore', ...plain, '-t', 'monday', '--to', to, 'ks'],
		['restore', ...plain, '--live', '--to', `${to}2`, 'ks'],
		['restore', ...plain, '--at', '2100-01-01', '--backups', '--to', `${to}3`, 'ks'],
		['restore', ...plain, '-t', 'monday', '--schema'],
		['restore', ...plain, '-t', 'monday', '--offline', ...node.flags, 'ks'],
		['adopt', ...s, ...node.flags, 'ks'],
		[
			'sync',
			'--once',
			'--fullsync',
			'--sync-sstables',
			'--keep-deleted',
			'1',
			'--backups',
			'--settle-time',
			'0',
			...s,
			...node.flags,
			'ks',
		],
		['prune', ...s, '--keep-last', '1'],
		['verify', ...plain, '--repair', ...node.flags],
	]
}

async function tryAll(
	scene: Scene,
	run: ReturnType<typeof makeRunner>,
	number: number,
	spoilIt: (haven: string) => void,
) {
	const { own, elsewhere, haven, node } = scene
	const folder = join(own, 'havens', `case-${number}`)
	const to = join(own, 'havens', `to-${number}`)
	cpSync(haven, folder, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true })
	spoilIt(folder)
	const look = () => [
		...fingerprint(elsewhere, '%P %y %i %s %m %U %T@'),
		...fingerprint(join(node.root, 'data/ks'), '%P %y %i %s'),
	]
	const before = look()
	for (const argv of commandsOn(scene, folder, to)) {
		const wrong = wrongWith(await run([...argv, '--state-dir', join(own, `state-${number}`)]))
		if (wrong !== undefined) throw new Error(`${argv.join(' ')}: ${wrong.slice(0, 3000)}`)
		const changes = changesBetween(before, look())
		if (changes.length > 0) throw new Error(`${argv.join(' ')}: ${changes.join('\n')}`)
	}
	for (const path of [folder, to, `${to}2`, `${to}3`]) rmSync(path, { recursive: true, force: true })
	const left = readdirSync(join(own, 'havens'))
	if (left.length !== 1) throw new Error(`something was written beside: ${left}`)
}

test('whatever a haven’s records say, nothing outside of it is written, moved or deleted', async (t) => {
	const scene = await makeScene(t)
	const run = makeRunner(t)
	let number = 0
	const spoilt = fc.tuple(fc.constantFrom(...scene.records), fc.array(change, { minLength: 1, maxLength: 3 }))
	await fc.assert(
		fc.asyncProperty(spoilt, async ([path, changes]) => {
			await tryAll(scene, run, number++, (haven) => spoil(haven, path, changes))
		}),
		runs,
	)
	t.pass()
})
