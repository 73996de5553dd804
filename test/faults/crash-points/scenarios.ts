import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli } from '../../support/cli.ts'
import {
	clearSnapshot,
	flushTables,
	linkBackups,
	makeTree,
	removeLive,
	type Tree,
	type TreeOptions,
	takeSnapshot,
} from '../../support/tree.ts'
import { flipBit } from '../../verify/support.ts'

/** A command whose changes are recorded, and what it is run over. */
export interface Scenario {
	/** Makes `node`, and where there is to be one `haven`, in an empty folder. */
	make: (folder: string) => Promise<Tree>
	/** The command, over the node and the places of a copy. */
	command: (node: Tree, places: Places) => string[]
	/** What the disk has whose power is cut. */
	disk: 'haven' | 'restored' | 'node'
	/** By which of the two engines, and how it flushes. */
	engine: 'quick' | 'slow'
	flush: 'file system' | 'each'
	env?: Record<string, string>
	/** It deletes on the node. */
	takes?: boolean
	/** Tags that it removes from the haven. */
	removes?: RegExp
	/** A further run goes on with what was gathered, which one over an empty node would clear away. */
	resumes?: boolean
	/** What stands in the mirror need not have a receipt, or agree with it, before it has come to its end. */
	mends?: boolean
}

export interface Places {
	haven: string
	restored: string
}

const small = { tables: 1, sstables: 1, dataBytes: 100 }

const nodeIn = (folder: string, options: TreeOptions = small) => makeTree(join(folder, 'node'), options)

const sync =
	(...flags: string[]): Scenario['command'] =>
	(node, { haven }) => ['sync', '--once', '--json', '-s', haven, ...node.flags, ...flags, node.keyspace]

async function run(command: Scenario['command'], node: Tree, folder: string): Promise<void> {
	const places = { haven: join(folder, 'haven'), restored: '' }
	const { exitCode, stderr } = await runCli(command(node, places))
	if (exitCode !== 0) throw new Error(`what was before ended with ${exitCode}: ${stderr}`)
}

/** Two tags, and the haven of a day before: of its tag `monday`, taken again since with other content. */
async function twoTags(folder: string): Promise<Tree> {
	const node = nodeIn(folder)
	takeSnapshot(node, 'monday')
	await run(sync(), node, folder)
	clearSnapshot(node, 'monday')
	flushTables(node)
	for (const tag of ['monday', 'tuesday']) takeSnapshot(node, tag)
	return node
}

/** Three tags in the haven. */
async function threeTags(folder: string): Promise<Tree> {
	const node = nodeIn(folder)
	for (const [day, tag] of ['monday', 'tuesday', 'wednesday'].entries()) {
		if (day > 0) flushTables(node)
		takeSnapshot(node, tag, { createdAt: `2025-01-0${day + 1}T10:00:00.000Z` })
	}
	makeOld(node.root)
	await run(sync(), node, folder)
	return node
}

/** Beside a live set that the haven has, SSTables came and went, one came under the name of another, and a TOC.txt is another. */
async function compacted(folder: string): Promise<Tree> {
	const node = nodeIn(folder, { ...small, sstables: 3 })
	const [table = ''] = node.folders
	const live = join(node.dataDirectories[0] ?? '', node.keyspace, table)
	makeOld(node.root, 7200)
	await run(sync('--sync-sstables'), node, folder)
	for (const name of readdirSync(live).filter((one) => one.startsWith('nb-1-'))) rmSync(join(live, name))
	writeFileSync(join(live, 'nb-2-big-TOC.txt'), 'Data.db\nTOC.txt\n')
	for (const name of readdirSync(live).filter((one) => one.startsWith('nb-3-'))) rmSync(join(live, name))
	node.sstables = 2
	node.seed = 2
	flushTables(node, 2)
	return node
}

async function flushedAgain(folder: string): Promise<Tree> {
	const node = nodeIn(folder)
	linkBackups(node)
	makeOld(node.root, 7200)
	await run(sync('--backups'), node, folder)
	flushTables(node)
	linkBackups(node)
	return node
}

/** A snapshot that goes over in pieces, beside one of before. */
async function large(folder: string): Promise<Tree> {
	const node = nodeIn(folder)
	takeSnapshot(node, 'monday')
	makeOld(node.root)
	await run(sync(), node, folder)
	node.dataBytes = 9000
	flushTables(node)
	takeSnapshot(node, 'tuesday')
	return node
}

/** Copies as cp makes them, and no receipts. */
async function copied(folder: string): Promise<Tree> {
	const node = nodeIn(folder)
	for (const tag of ['monday', 'tuesday']) {
		takeSnapshot(node, tag)
		flushTables(node)
	}
	for (const table of node.folders) {
		const inner = join(node.keyspace, table, 'snapshots')
		const from = join(node.dataDirectories[0] ?? '', inner)
		await cp(from, join(folder, 'haven/data', inner), { recursive: true, preserveTimestamps: true })
	}
	// A copy that is to be adopted has to have been quiet for a while.
	makeOld(join(folder, 'haven'))
	return node
}

/** A file that two snapshots share, one of one alone, and one that is missing. */
async function rotten(folder: string): Promise<Tree> {
	const node = await threeTags(folder)
	const tag = join(folder, 'haven/data', node.keyspace, node.folders[0] ?? '', 'snapshots/wednesday')
	for (const name of ['nb-1-big-Data.db', 'nb-3-big-Summary.db']) flipBit(join(tag, name))
	rmSync(join(tag, 'nb-2-big-Index.db'))
	return node
}

/** SSTables were lost that the haven has; since then one was flushed, under the number of one of them. */
async function lost(folder: string, dataDirectories: number): Promise<Tree> {
	const node = nodeIn(folder, { ...small, sstables: 2, dataDirectories })
	takeSnapshot(node, 'monday')
	makeOld(node.root)
	await run(sync(), node, folder)
	clearSnapshot(node, 'monday')
	removeLive(node)
	node.sstables = 0
	node.seed = 2
	flushTables(node)
	return node
}

const restoreOffline =
	(...flags: string[]): Scenario['command'] =>
	(node, { haven }) => ['restore', '--json', '-s', haven, '--offline', ...flags, '-t', 'monday', ...node.flags]

const slices = { SNAPHAVEN_TEST_SLICE_BYTES: '1000' }
const haven = { disk: 'haven' } as const
const quick = { ...haven, engine: 'quick', flush: 'file system' } as const
const each = { ...haven, engine: 'quick', flush: 'each' } as const
const onNode = { disk: 'node', engine: 'quick', flush: 'each' } as const
const slow = { ...haven, engine: 'slow', flush: 'each' } as const

/** What is recorded, by what it is called. */
export const SCENARIOS: Record<string, Scenario> = {
	'yesterday’s haven': { ...quick, make: twoTags, command: sync() },
	'yesterday’s haven, moved, on a NAS': {
		...slow,
		...{ make: twoTags, command: sync('--move-snapshots'), takes: true },
	},
	'a new haven': {
		...each,
		make: async (folder) => {
			const node = nodeIn(folder, { ...small, sstables: 2 })
			for (const tag of ['monday', 'tuesday']) takeSnapshot(node, tag)
			return node
		},
		command: sync(),
	},
	'a large file': { ...quick, make: large, command: sync(), env: slices, resumes: true },
	'a large file, on a NAS': { ...slow, make: large, command: sync(), env: slices, resumes: true },
	'live SSTables': { ...quick, make: compacted, command: sync('--sync-sstables', '--keep-deleted', '9') },
	'live SSTables, on a NAS': { ...slow, make: compacted, command: sync('--sync-sstables') },
	'incremental backups': { ...quick, make: flushedAgain, command: sync('--backups') },
	'incremental backups, pruned on the node, on a NAS': {
		...slow,
		...{ make: flushedAgain, command: sync('--backups', '--prune-backups'), takes: true },
	},
	prune: {
		...each,
		make: threeTags,
		command: (node, places) => ['prune', '--json', '-s', places.haven, ...node.flags, '--keep-last', '1'],
		removes: /\/(monday|tuesday)$/,
	},
	adopt: {
		...each,
		make: copied,
		command: (node, places) => ['adopt', '--json', '-s', places.haven, ...node.flags],
		mends: true,
	},
	'verify --repair': {
		...each,
		make: rotten,
		command: (node, places) => ['verify', '--repair', '--json', '-s', places.haven, ...node.flags],
		mends: true,
	},
	'restore --to': {
		...{ disk: 'restored', engine: 'quick', flush: 'each' },
		make: threeTags,
		command: (_, places) => ['restore', '--json', '-s', places.haven, '-t', 'tuesday', '--to', places.restored],
	},
	'restore --offline': { ...onNode, make: (folder) => lost(folder, 1), command: restoreOffline() },
	'restore --offline --replace': {
		...onNode,
		make: (folder) => lost(folder, 2),
		command: restoreOffline('--replace'),
	},
}

/** Sets the times of what is younger in a folder to so many seconds ago, so that nothing is waited for. */
export function makeOld(folder: string, seconds = 3600): void {
	const then = new Date(Date.now() - seconds * 1000)
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name)
		if (entry.isDirectory()) makeOld(path, seconds)
		else if (statSync(path).mtime > then) utimesSync(path, then, then)
	}
	if (statSync(folder).mtime > then) utimesSync(folder, then, then)
}
