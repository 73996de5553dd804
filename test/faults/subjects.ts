import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import { filesIn } from '../restore/support/scene.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { clearSnapshot, flushTables, makeTree, type Tree, type TreeOptions, takeSnapshot } from '../support/tree.ts'
import { flipBit } from '../verify/support.ts'
import type { Subject } from './kills.ts'
import { readState, snapshotIds, unfinishedIn } from './promises.ts'

/** A kill loses nothing that was written, so memory will do. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A node with three tags, the oldest first, in a folder that is removed with the test. */
function madeNode(t: ExecutionContext, options: TreeOptions): { folder: string; node: Tree; haven: string } {
	const own = mkdtempSync(join(memory, 'snaphaven-kill-'))
	t.teardown(() => rmSync(own, { recursive: true, force: true }))
	const folder = join(own, 'all')
	const node = makeTree(join(folder, 'node'), options)
	for (const [day, tag] of TAGS.entries()) {
		if (day > 0) flushTables(node)
		takeSnapshot(node, tag, { createdAt: `2025-01-0${day + 1}T10:00:00.000Z` })
	}
	return { folder, node, haven: join(folder, 'haven') }
}

const TAGS = ['monday', 'tuesday', 'wednesday']

async function mirror({ node, haven }: { node: Tree; haven: string }): Promise<void> {
	const { exitCode, stderr } = await runCli(['sync', '--once', '-s', haven, ...node.flags, node.keyspace])
	if (exitCode !== 0) throw new Error(`the sync ended with ${exitCode}: ${stderr}`)
}

/** `-s` and the data directories of a copy. */
function placesIn({ folder, node }: { folder: string; node: Tree }, copy: string): string[] {
	const data = node.dataDirectories.flatMap((path) => ['--data-dir', copy + path.slice(folder.length)])
	return ['-s', join(copy, 'haven'), ...data]
}

/** The CRC-32 of each file below some folders, by its path in its folder. */
function contents(...folders: string[]): Map<string, number> {
	return new Map(
		folders.flatMap((folder) =>
			filesIn(folder).map((path): [string, number] => [path, crc32(readFileSync(join(folder, path)))]),
		),
	)
}

/** What is not there as it is to be. */
function lacking(what: string, expected: Map<string, number>, found: Map<string, number>): string[] {
	return [...expected].filter(([path, crc]) => found.get(path) !== crc).map(([path]) => `${what} lacks ${path}`)
}

function endedWith(codes: number[], { exitCode, stderr }: CliResult): string[] {
	return codes.includes(exitCode ?? -1) ? [] : [`the last run ended with ${exitCode}: ${stderr}`]
}

type Made = (t: ExecutionContext, size: TreeOptions) => Promise<Subject>

/** `prune` of all tags but the last two. */
const prune: Made = async (t, size) => {
	const made = madeNode(t, size)
	await mirror(made)
	const kept = new Set(snapshotIds(made.node).filter((id) => !id.endsWith('/monday')))
	return {
		folder: made.folder,
		args: (copy) => ['prune', ...placesIn(made, copy), '--keep-last', '2'],
		broken: (copy) => {
			const { sealed, lies } = readState(join(copy, 'haven'))
			return [...lies, ...[...kept].filter((id) => !sealed.has(id)).map((id) => `${id} was to be kept`)]
		},
		unfinished: (copy, ran) => {
			const more = [...readState(join(copy, 'haven')).sealed].filter((id) => !kept.has(id))
			const left = more.map((id) => `${id} is there still`)
			return [...endedWith([0], ran), ...unfinishedIn(join(copy, 'haven'), [...kept]), ...left]
		},
	}
}

/** `adopt` of what cp has copied. */
const adopt: Made = async (t, size) => {
	const made = madeNode(t, size)
	const target = join(made.haven, 'data', made.node.keyspace)
	for (const table of made.node.folders) {
		for (const directory of made.node.dataDirectories) {
			await execa('mkdir', ['-p', join(target, table)])
			await execa('cp', ['-a', join(directory, made.node.keyspace, table, 'snapshots'), join(target, table)])
		}
	}
	const before = contents(join(made.haven, 'data'))
	return {
		folder: made.folder,
		args: (copy) => ['adopt', ...placesIn(made, copy)],
		broken: (copy) => [
			...lacking('the mirror', before, contents(join(copy, 'haven/data'))),
			...readState(join(copy, 'haven')).lies,
		],
		// A run that finds nothing to adopt takes no lease: what a kill after the last seal leaves is cleared by the next writer.
		unfinished: (copy, ran) => {
			const found = unfinishedIn(join(copy, 'haven'), snapshotIds(made.node))
			const isIdle = ran.stdout.includes('adopted nothing')
			return [...endedWith([0], ran), ...(isIdle ? found.filter((what) => !what.endsWith('was left behind')) : found)]
		},
	}
}

/** `verify --repair` of rotten and missing files, shared ones among them, that the node has good copies of. */
const repair: Made = async (t, size) => {
	const made = madeNode(t, size)
	await mirror(made)
	const good = contents(join(made.haven, 'data'))
	for (const table of made.node.folders) {
		const tag = join(made.haven, 'data', made.node.keyspace, table, 'snapshots', 'tuesday')
		flipBit(join(tag, 'nb-1-big-Data.db'))
		flipBit(join(tag, 'nb-1-big-Summary.db'))
		rmSync(join(tag, 'nb-2-big-Index.db'))
	}
	const rotten = contents(join(made.haven, 'data'))
	return {
		folder: made.folder,
		args: (copy) => ['verify', '--repair', ...placesIn(made, copy)],
		broken: (copy) => {
			const now = contents(join(copy, 'haven/data'))
			const other = [...new Set([...good.keys(), ...now.keys()])].filter(
				(path) => ![good.get(path), rotten.get(path)].includes(now.get(path)),
			)
			return other.map((path) => `${path} is neither what it was nor good`)
		},
		// A run that finds nothing to repair takes no lease, and clears nobody's folder.
		unfinished: (copy, ran) => {
			const now = contents(join(copy, 'haven/data'))
			return [...endedWith([0, 3], ran), ...readState(join(copy, 'haven')).lies, ...lacking('the mirror', good, now)]
		},
	}
}

/** `restore --offline` of what was lost, beside what was written since, or in its place. */
const offline =
	(replace: boolean): Made =>
	async (t, size) => {
		const made = madeNode(t, { ...size, dataDirectories: 2 })
		const { node, folder } = made
		const directories = (copy: string) => node.dataDirectories.map((path) => copy + path.slice(folder.length))
		const live = (copy: string) => {
			const files = contents(...directories(copy).map((path) => join(path, node.keyspace)))
			return new Map([...files].filter(([path]) => !path.includes('/snapshots/')))
		}
		const aside = (copy: string) =>
			directories(copy).flatMap((path) =>
				readdirSync(path)
					.filter((name) => name.startsWith('.snaphaven-replaced-'))
					.map((name) => join(path, name, node.keyspace)),
			)
		await mirror(made)
		const sealed = live(folder)
		for (const tag of TAGS) clearSnapshot(node, tag)
		for (const path of node.dataDirectories) {
			for (const file of filesIn(path)) rmSync(join(path, file))
		}
		flushTables(node)
		const since = live(folder)
		const haven = contents(made.haven)
		const flags = ['--offline', '-t', 'wednesday', ...(replace ? ['--replace'] : [])]
		return {
			folder,
			args: (copy) => ['restore', ...placesIn(made, copy), ...flags],
			broken: (copy) => [
				...lacking('the haven', haven, contents(join(copy, 'haven'))),
				...lacking('the node', since, new Map([...live(copy), ...contents(...aside(copy))])),
			],
			unfinished: (copy, ran) => {
				const now = live(copy)
				const expected = replace ? sealed : new Map([...since, ...sealed])
				const extra = [...now.keys()].filter((path) => !expected.has(path)).map((path) => `${path} is live`)
				const stages = directories(copy).map((path) => join(path, '.snaphaven-restore'))
				const left = stages.filter((path) => existsSync(path)).map((path) => `${path} was left behind`)
				return [...endedWith([0], ran), ...lacking('the node', expected, now), ...extra, ...left]
			},
		}
	}

interface Killed {
	make: Made
	/** Tables of the runs that are killed at random: where each file is flushed, fewer will do. */
	tables: number
	/** Which of the calls of a name a run is killed before: every so-manieth. Of the many deletions some will do. */
	calls: Record<string, number>
}

const calls = { rename: 1, unlink: 4, rmdir: 2 }
/** A restore moves files by links. */
const linkCalls = { link: 4, rename: 2, unlink: 8, rmdir: 4 }

/** The commands that change a haven or a node beside mirroring. */
export const SUBJECTS: Record<string, Killed> = {
	prune: { make: prune, tables: 6, calls },
	adopt: { make: adopt, tables: 4, calls },
	'verify --repair': { make: repair, tables: 3, calls },
	'restore --offline': { make: offline(false), tables: 1, calls: linkCalls },
	'restore --offline --replace': { make: offline(true), tables: 1, calls: linkCalls },
}
