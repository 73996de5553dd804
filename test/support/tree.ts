import { createCipheriv, createHash } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { execa } from 'execa'

/** What a made-up node's disk is to look like. */
export interface TreeOptions {
	/** The keyspace's name; default `ks`. */
	keyspace?: string
	/** Number of tables; default 2. */
	tables?: number
	/** SSTables that each table has to begin with; default 2. */
	sstables?: number
	/** Bytes of each Data.db; the other components have a fiftieth of it, at least 16 bytes. Default 4000. */
	dataBytes?: number
	/** Number of data directories, over which the SSTables of each table are spread; default 1. */
	dataDirectories?: number
	/** How SSTables are named: `nb-7-big` or, as with `uuid_sstable_identifiers_enabled`, `nb-3gyn_0m4c_…-big`. */
	ids?: 'number' | 'uuid'
	/** Trees of the same seed and options have the same names and bytes; default 1. */
	seed?: number
}

/** A made-up node's disk. With one data directory it is `<root>/data`, so that `-d <root>` finds it. */
export interface Tree extends Required<Omit<TreeOptions, 'dataDirectories'>> {
	root: string
	/** Absolute paths of the data directories. */
	dataDirectories: string[]
	/** The tables' folders, `<name>-<32 hex of the id>`. */
	folders: string[]
	/** The flags that name these data directories: `-d <root>`, or `--data-dir` for each. */
	flags: string[]
}

/** What a snapshot of a tree is to look like. */
export interface SnapshotOptions {
	/** The tables' folders to take; default all. */
	folders?: string[]
	/** Which data directories get the manifest (Cassandra 5.0: one of them; others: every one); default `one`. */
	manifest?: 'one' | 'every' | 'none'
	/** Whether schema.cql is written; default true. */
	schema?: boolean
	/** Mark it as a running repair's own; default false. */
	ephemeral?: boolean
	/** When the manifest says that it was taken, ISO 8601; default now. */
	createdAt?: string
}

const components = [
	'Data.db',
	'Index.db',
	'Filter.db',
	'Summary.db',
	'Statistics.db',
	'CompressionInfo.db',
	'Digest.crc32',
	'TOC.txt',
]

/** Files that one SSTable of a tree has. */
export const filesPerSSTable = components.length

/** Makes a Cassandra-like data directory: live SSTables with a true Digest.crc32 and TOC.txt, as Cassandra 4 writes them. */
export function makeTree(root: string, options: TreeOptions = {}): Tree {
	const count = options.dataDirectories ?? 1
	const seed = options.seed ?? 1
	const names = noise(`names ${seed}`)
	const dataDirectories = Array.from({ length: count }, (_, i) => join(root, i === 0 ? 'data' : `data${i + 1}`))
	const tree: Tree = {
		root,
		keyspace: options.keyspace ?? 'ks',
		tables: options.tables ?? 2,
		sstables: 0,
		dataBytes: options.dataBytes ?? 4000,
		ids: options.ids ?? 'number',
		seed,
		dataDirectories,
		folders: Array.from(
			{ length: options.tables ?? 2 },
			(_, i) => `t${String(i).padStart(4, '0')}-${names(16).toString('hex')}`,
		),
		flags: flagsFor(root, dataDirectories),
	}
	for (const directory of dataDirectories) {
		for (const folder of tree.folders) mkdirSync(join(directory, tree.keyspace, folder), { recursive: true })
	}
	flushTables(tree, options.sstables ?? 2)
	return tree
}

/** Adds so many new SSTables to each table, as flushes do. */
export function flushTables(tree: Tree, count = 1): void {
	const bytes = noise(`sstables ${tree.seed} from ${tree.sstables}`)
	const smallBytes = Math.max(16, Math.floor(tree.dataBytes / 50))
	const toc = `${components.join('\n')}\n`
	for (const folder of tree.folders) {
		for (let sstable = tree.sstables + 1; sstable <= tree.sstables + count; sstable++) {
			const directory = tree.dataDirectories[sstable % tree.dataDirectories.length] ?? ''
			const data = bytes(tree.dataBytes)
			const path = join(directory, tree.keyspace, folder, `nb-${sstableId(tree, folder, sstable)}-big-`)
			for (const component of components) {
				if (component === 'Data.db') writeFileSync(path + component, data)
				else if (component === 'Digest.crc32') writeFileSync(path + component, String(crc32(data)))
				else if (component === 'TOC.txt') writeFileSync(path + component, toc)
				else writeFileSync(path + component, bytes(smallBytes))
			}
		}
	}
	tree.sstables += count
}

/** Does what `nodetool snapshot -t TAG KEYSPACE` does to the disk: hard links, then manifest.json, then schema.cql. */
export function takeSnapshot(tree: Tree, tag: string, options: SnapshotOptions = {}): void {
	const createdAt = options.createdAt ?? new Date().toISOString()
	for (const [turn, folder] of (options.folders ?? tree.folders).entries()) {
		const targets = tree.dataDirectories.map((directory) => join(directory, tree.keyspace, folder, 'snapshots', tag))
		const data: string[] = []
		for (const target of targets) {
			mkdirSync(target, { recursive: true })
			for (const name of liveFiles(join(target, '../..'))) {
				linkSync(join(target, '../..', name), join(target, name))
				if (name.endsWith('-Data.db')) data.push(name)
			}
		}
		const manifest = { files: data, created_at: createdAt, expires_at: null, ephemeral: options.ephemeral ?? false }
		for (const target of chosen(targets, options.manifest ?? 'one', turn)) {
			writeFileSync(join(target, 'manifest.json'), JSON.stringify(manifest))
		}
		for (const target of chosen(targets, options.schema === false ? 'none' : 'one', turn + 1)) {
			writeFileSync(join(target, 'schema.cql'), `CREATE TABLE ${tree.keyspace}.t${turn} (id int PRIMARY KEY);\n`)
		}
	}
}

/** Removes a tag's folders from the node, as `nodetool clearsnapshot` does. */
export function clearSnapshot(tree: Tree, tag: string): void {
	for (const { path } of tagFolders(tree, tag)) rmSync(path, { recursive: true, force: true })
}

/** Links the SSTables that the last flush has made into `backups/`, as Cassandra does with `incremental_backups`. */
export function linkBackups(tree: Tree, flushed = 1): void {
	for (const directory of tree.dataDirectories) {
		for (const folder of tree.folders) {
			const table = join(directory, tree.keyspace, folder)
			for (let sstable = tree.sstables - flushed + 1; sstable <= tree.sstables; sstable++) {
				const prefix = `nb-${sstableId(tree, folder, sstable)}-`
				for (const name of liveFiles(table).filter((one) => one.startsWith(prefix))) {
					mkdirSync(join(table, 'backups'), { recursive: true })
					linkSync(join(table, name), join(table, 'backups', name))
				}
			}
		}
	}
}

/** Removes the live SSTables, as a compaction would: only what snapshots hold stays. */
export function removeLive(tree: Tree): void {
	for (const directory of tree.dataDirectories) {
		for (const folder of tree.folders) {
			const table = join(directory, tree.keyspace, folder)
			for (const name of liveFiles(table)) rmSync(join(table, name))
		}
	}
}

/** The same tree at another place of the same file system, its files hard-linked: what a test compares with, or takes from. */
export async function linkTree(tree: Tree, root: string): Promise<Tree> {
	await execa('cp', ['-al', '--', tree.root, root])
	const dataDirectories = tree.dataDirectories.map((directory) => root + directory.slice(tree.root.length))
	return { ...tree, root, dataDirectories, flags: flagsFor(root, dataDirectories) }
}

/** Where the snapshots of a tag lie, or would lie, for each table in each data directory. */
export function tagFolders(tree: Tree, tag: string): { folder: string; path: string }[] {
	return tree.folders.flatMap((folder) =>
		tree.dataDirectories.map((directory) => ({
			folder,
			path: join(directory, tree.keyspace, folder, 'snapshots', tag),
		})),
	)
}

function liveFiles(table: string): string[] {
	return readdirSync(table)
		.filter((name) => name.startsWith('nb-'))
		.sort()
}

function chosen(targets: string[], which: 'one' | 'every' | 'none', turn: number): string[] {
	if (which === 'one') return targets.slice(turn % targets.length).slice(0, 1)
	return which === 'every' ? targets : []
}

function flagsFor(root: string, dataDirectories: string[]): string[] {
	return dataDirectories.length === 1 ? ['-d', root] : dataDirectories.flatMap((path) => ['--data-dir', path])
}

/** As Cassandra's UUIDBasedSSTableId writes it: three parts in base 36, of 4, 4 and 18 signs. */
function sstableId(tree: Tree, folder: string, sstable: number): string {
	if (tree.ids === 'number') return String(sstable)
	const hash = createHash('sha256').update(`${tree.seed} ${folder} ${sstable}`).digest('hex')
	const signs = BigInt(`0x${hash}`).toString(36).slice(-26)
	return `${signs.slice(0, 4)}_${signs.slice(4, 8)}_${signs.slice(8)}`
}

/** An endless stream of bytes that no compression shrinks, the same for the same key. */
function noise(key: string): (bytes: number) => Buffer {
	const digest = createHash('sha256').update(key).digest()
	const cipher = createCipheriv('aes-128-ctr', digest.subarray(0, 16), digest.subarray(16))
	return (bytes) => cipher.update(Buffer.alloc(bytes))
}
