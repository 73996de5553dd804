import { lstatSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import type { ExecutionContext } from 'ava'
import { copy } from 'fs-extra/esm'
import type { CliResult } from '../../support/cli.ts'
import { readReceipts } from '../../support/receipts.ts'
import { tableName } from './give-back.ts'
import type { CassandraNode } from './node.ts'
import { assertProven, filesIn, filesOnNode, keyOf, placeOf, type SnapshotName } from './proof.ts'
import { shopKeyspaces } from './shop.ts'
import type { TakenSnapshot } from './snapshots.ts'

/** What the tests of a node share. */
export interface Bench {
	node: CassandraNode
	/** The folder that all of it is in. */
	own: string
	haven: string
	/** The snapshots that are on the node. */
	taken: TakenSnapshot[]
	/** Those of them (keyOf) whose TOC.txt the node has changed since they were sealed. */
	rewritten: Set<string>
}

/** Asserts that the command did all that it should, and hands its result on. */
export function passed(t: ExecutionContext, result: CliResult): CliResult {
	t.is(result.exitCode, 0, `exit code ${result.exitCode}\n${result.stdout}\n${result.stderr}`)
	return result
}

/** Asserts that these snapshots, by default all that are on the node, are whole in the haven, and that this was seen by more than nothing. */
export function proven(t: ExecutionContext, { node, haven, taken, rewritten }: Bench, snapshots = taken): void {
	const unchanged = snapshots.filter((snapshot) => !rewritten.has(keyOf(snapshot)))
	const { files, digests } = assertProven(node.dataDirectories, haven, unchanged)
	t.true(unchanged.length > 0 && digests > 0 && files > 8 * digests)
}

/** The seals that the command told of with `--json`. */
export function sealedBy({ stdout }: CliResult): unknown[] {
	const told: { type: string }[] = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
	return told.filter(({ type }) => type === 'sealed')
}

/** The snapshot of a table of that tag. */
export function found(snapshots: TakenSnapshot[], table: string, tag: string): TakenSnapshot {
	const snapshot = snapshots.find((one) => tableName(one.table) === table && one.tag === tag)
	if (snapshot === undefined) throw new Error(`${table} has no snapshot ${tag}`)
	return snapshot
}

/** Each TOC.txt that a snapshot has on the node. */
export async function tocsOf({ dataDirectories }: CassandraNode, snapshot: SnapshotName) {
	const files = [...filesOnNode(dataDirectories, snapshot)].filter(([path]) => path.endsWith('-TOC.txt'))
	return Promise.all(files.map(async ([path, file]) => ({ path, text: await readFile(file, 'utf8') })))
}

/** Paths of a snapshot's files that are one and the same file on the node and in the haven. */
export function sharedFiles({ dataDirectories }: CassandraNode, haven: string, snapshot: SnapshotName): string[] {
	return [...filesOnNode(dataDirectories, snapshot)]
		.filter(([path, file]) => lstatSync(file).ino === lstatSync(join(placeOf(haven, snapshot), path)).ino)
		.map(([path]) => path)
}

/** All that the haven holds, so that any change shows: its receipts' names, and each file with its inode and times. */
export function haveOf(haven: string): { receipts: string[]; files: string[] } {
	const receipts = readReceipts(haven).map((one) => ('receipt' in one ? keyOf(one.receipt) : one.broken))
	const files = ['data', '.snaphaven/receipts'].flatMap((folder) => [...filesIn(join(haven, folder)).values()])
	return {
		receipts: receipts.sort(),
		files: files.map((file) => `${identity(file)} ${lstatSync(file).ctimeMs}`).sort(),
	}
}

/** Each file of the keyspaces on the node that is in no snapshot, with its inode, size and time. */
export function liveFiles({ root, dataDirectories }: CassandraNode): string[] {
	const folders = dataDirectories.flatMap((directory) => shopKeyspaces.map((keyspace) => join(directory, keyspace)))
	return folders
		.flatMap((folder) => [...filesIn(folder).values()])
		.filter((file) => !relative(root, file).includes('/snapshots/'))
		.map(identity)
		.sort()
}

/** Changes a byte in the middle of one Data.db of a snapshot, and in no other file that shared its inode. */
export async function damage({ dataDirectories }: CassandraNode, snapshot: SnapshotName): Promise<void> {
	const file = [...filesOnNode(dataDirectories, snapshot).values()].find((path) => basename(path).endsWith('-Data.db'))
	if (file === undefined) throw new Error(`${keyOf(snapshot)} has no Data.db`)
	await copy(file, `${file}.damaged`, { preserveTimestamps: true })
	await rename(`${file}.damaged`, file)
	const handle = await open(file, 'r+')
	try {
		const at = Math.floor((await handle.stat()).size / 2)
		const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at)
		await handle.write(Buffer.of(buffer.readUInt8() ^ 0xff), 0, 1, at)
	} finally {
		await handle.close()
	}
}

function identity(file: string): string {
	const { ino, size, mtimeNs } = lstatSync(file, { bigint: true })
	return `${file} ${ino} ${size} ${mtimeNs}`
}
