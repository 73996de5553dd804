import { linkSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findTables } from '../../../src/cassandra/find-tables.ts'
import { runAsync, runSync } from '../../../src/files/io.ts'
import { rememberHaven } from '../../../src/haven/memory.ts'
import { beginKeyspaces } from '../../../src/mirror/beginning.ts'
import { type Engine, start } from '../../../src/mirror/engine.ts'
import { mirrorTable } from '../../../src/mirror/pass.ts'
import { withPass } from '../../../src/mirror/session.ts'
import { makeTotals } from '../../../src/mirror/totals.ts'
import type { SyncEvent, SyncOptions } from '../../../src/mirror/types.ts'
import { compareMirror, type SnapshotId, snapshotsOf } from '../../support/mirrored.ts'
import type { Tree } from '../../support/tree.ts'
import { readState, unfinishedIn } from '../promises.ts'
import { type Disk, pathsOf } from './disk-model.ts'

/** What is known of the instant besides the disk. */
export interface Known {
	/** Snapshots that the run had told to be sealed. */
	told: ReadonlySet<SnapshotId>
	/** Files that were deleted on the node, by their paths there. */
	gone: ReadonlySet<string>
	/** The node has seen the haven there. */
	remembered: boolean
	/** What was sealed before the run began. */
	before: ReadonlySet<SnapshotId>
}

export interface Trial {
	disk: Disk
	known: Known
	/** The node as it was when the run began. */
	node: Tree
	move: boolean
	/** A folder for this state alone. */
	place: string
}

/** Makes the state on a real file system, reads it as a stranger, and lets the next run recover and finish: what is wrong. */
export async function tryState(trial: Trial): Promise<string[]> {
	const { disk, known, node, place } = trial
	const haven = join(place, 'haven')
	const wrong: string[] = []
	try {
		writeDisk(disk, haven)
		const left = linkNode(node, join(place, 'node'), known.gone)
		const touched = idsOf(known.gone)
		const { sealed, inDoubt, lies } = readState(haven)
		wrong.push(...lies)
		for (const id of [...known.told, ...touched, ...known.before])
			if (!sealed.has(id) && !inDoubt.has(id)) wrong.push(`${id} was sealed, and is not there`)
		const said = await runAgain(trial, left, () => {
			const after = readState(haven)
			const owed = [...known.told, ...touched, ...known.before]
			for (const id of owed) if (!after.sealed.has(id)) wrong.push(`recovered: ${id} is not there any more`)
			wrong.push(...after.lies.map((lie) => `recovered: ${lie}`), ...nakedIn(haven, node, after.sealed))
		})
		wrong.push(...said, ...unfinishedIn(haven, [...snapshotsOf(node).map(({ id }) => id), ...known.before]))
		wrong.push(...compareMirror(node, haven).differences)
		if (trial.move) wrong.push(...snapshotsOf(left).map(({ id }) => `${id} is still on the node`))
	} catch (error) {
		wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
	} finally {
		rmSync(place, { recursive: true, force: true })
	}
	return [...new Set(wrong)]
}

function writeDisk(disk: Disk, root: string): void {
	const written = new Map<Buffer, string>()
	mkdirSync(root, { recursive: true })
	for (const [path, bytes] of pathsOf(disk)) {
		const place = join(root, path)
		const same = bytes && bytes.length > 0 && written.get(bytes)
		if (!bytes) mkdirSync(place)
		else if (same) linkSync(same, place)
		else {
			writeFileSync(place, bytes)
			written.set(bytes, place)
		}
	}
}

/** The node at that instant. Its folders are old, so that nothing is waited for. */
function linkNode(node: Tree, root: string, gone: ReadonlySet<string>): Tree {
	const old = new Date(Date.now() - 3_600_000)
	const dataDirectories = node.dataDirectories.map((directory) => root + directory.slice(node.root.length))
	const copy = { ...node, root, dataDirectories }
	for (const directory of dataDirectories)
		for (const folder of node.folders) mkdirSync(join(directory, node.keyspace, folder), { recursive: true })
	const folders = new Set<string>()
	for (const { files } of snapshotsOf(node)) {
		for (const path of files.values()) {
			const inner = path.slice(node.root.length + 1)
			if (gone.has(inner)) continue
			const place = join(root, inner)
			mkdirSync(dirname(place), { recursive: true })
			linkSync(path, place)
			folders.add(dirname(place))
		}
	}
	for (const folder of folders) utimesSync(folder, old, old)
	return copy
}

function idsOf(gone: ReadonlySet<string>): Set<SnapshotId> {
	return new Set(
		Array.from(gone, (path) => {
			const [, keyspace, table, , tag] = path.split('/')
			return `${keyspace}/${table}/${tag}`
		}),
	)
}

/** Folders in a snapshot's place that no receipt speaks for. */
function nakedIn(haven: string, node: Tree, sealed: ReadonlySet<SnapshotId>): string[] {
	const standing = snapshotsOf({ ...node, dataDirectories: [join(haven, 'data')] })
	return standing.filter(({ id }) => !sealed.has(id)).map(({ id }) => `recovered: ${id} stands there without a receipt`)
}

/** Calls on the spot, in this thread: a state is small, and there are thousands. */
const engine: Engine = { run: async (name, ...args) => runSync(start(name, args)) as never, slices: 1, width: 1 }
const threads = {
	engineFor: async () => engine,
	engineForReading: async () => engine,
	run: engine.run,
	close: async () => {},
}

/** Another run in this process, as `sync --once` makes it: what went wrong. Calls `recovered` before it does any work. */
async function runAgain({ move, place, known }: Trial, node: Tree, recovered: () => void): Promise<string[]> {
	const wrong: string[] = []
	const options: SyncOptions = {
		...{ dataDirectories: node.dataDirectories, keyspaces: [node.keyspace], haven: join(place, 'haven') },
		...{ stateDirectory: join(place, 'state'), facts: {}, move, fullsync: true, settleMs: 60_000 },
		...{ matchesTag: () => true, matchesTable: () => true, mirrorDeletes: undefined, live: false },
		...{
			keepDeletedDays: undefined,
			backups: false,
			pruneBackups: undefined,
			hardlink: false,
			dryRun: false,
			newHaven: false,
			requireMount: false,
			takeOver: false,
		},
	}
	if (known.remembered) await rememberHaven(options.stateDirectory, options.haven, 'remembered')
	const stopper = new AbortController()
	const tell = (event: SyncEvent) => {
		if (event.type === 'failed' || event.type === 'trouble') wrong.push(`the next run: ${JSON.stringify(event)}`)
		if (event.type !== 'warning' || !event.message.includes('waiting up to')) return
		stopper.abort(new Error(`it waits for a process that is dead: ${event.message}`))
	}
	const opening = { options, threads, totals: makeTotals(tell), signal: stopper.signal }
	const { tables, keyspaces } = await runAsync(findTables(options.dataDirectories, options.keyspaces))
	await withPass(opening, async (pass) => {
		recovered()
		const begun = await beginKeyspaces(pass, { keyspaces, tables })
		for (const table of tables) await mirrorTable(begun, table)
	})
	return wrong
}
