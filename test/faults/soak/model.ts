import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type SnapshotId, snapshotsOf } from '../../support/mirrored.ts'
import { type ReceiptText, readReceipts } from '../../support/receipts.ts'
import {
	clearSnapshot,
	flushTables,
	linkTree,
	removeLive,
	type Tree,
	tagFolders,
	takeSnapshot,
} from '../../support/tree.ts'
import { readState } from '../promises.ts'

/** What is known of a snapshot: contents are told by `contentOf`. */
interface Owed {
	/** What the haven may have. */
	may: Set<string>
	/** It has to have one of these: one of them was behind a receipt once. */
	must: boolean
	/** Taken, and not cleared since: what the haven has to have in the end. */
	wanted: string | undefined
}

/** A node that lives, and what its haven has to hold by what was done to it. */
export interface Model {
	/** Takes a tag, of all tables or some; one that is there is cleared before. */
	take: (tag: string, folders?: string[]) => void
	clear: (tag: string) => void
	flush: () => void
	/** The live SSTables become a new one. */
	compact: () => void
	/** These were removed from the haven: they are not to come back. To be called when all has settled. */
	prune: (ids: SnapshotId[]) => void
	/** Tags that are on the node, or were moved. */
	tags: () => string[]
	/** Whether the haven has all that was taken and not cleared. */
	isSettled: () => boolean
	/** What is wrong with the haven when all has settled. */
	wrong: () => string[]
	/** What no kill may leave: a receipt that is not true, a file that is neither on the node nor behind a receipt. */
	brokenNow: () => string[]
	snapshots: () => number
}

/** Begins with a node that has no snapshot yet; what its snapshots were is kept in a tree of its own. */
export async function makeModel(node: Tree, keptRoot: string, haven: string): Promise<Model> {
	const kept = await linkTree(node, keptRoot)
	const owed = new Map<SnapshotId, Owed>()
	const tags = new Set<string>()
	const inHaven = () =>
		whole(() => new Map(receiptsIn(haven).map((receipt) => [idOf(receipt), contentOfReceipt(receipt)])))

	const clear = (tag: string) => {
		// Sealed is what was so before and after the look at what is in doubt.
		const sealed = inHaven()
		const { inDoubt } = whole(() => readState(haven))
		const after = inHaven()
		for (const [id, one] of owed) {
			if (!id.endsWith(`/${tag}`) || one.wanted === undefined) continue
			const isSealed = sealed.get(id) === one.wanted && after.get(id) === one.wanted && !inDoubt.has(id)
			if (isSealed) one.may.clear()
			one.may.add(one.wanted)
			one.must ||= isSealed
			one.wanted = undefined
		}
		clearSnapshot(node, tag)
		clearSnapshot(kept, tag)
		tags.delete(tag)
	}
	return {
		take: (tag, folders = node.folders) => {
			clear(tag)
			takeSnapshot(kept, tag, { folders })
			for (const { id, tag: taken, files } of snapshotsOf(kept)) {
				if (taken !== tag) continue
				const one = owed.get(id) ?? { may: new Set(), must: false, wanted: undefined }
				owed.set(id, { ...one, wanted: contentOf(files) })
			}
			for (const folder of folders) replay(kept, node, folder, tag)
			tags.add(tag)
		},
		clear,
		flush: () => {
			flushTables(kept)
			followLive(kept, node)
		},
		compact: () => {
			removeLive(kept)
			flushTables(kept)
			followLive(kept, node)
		},
		prune: (ids) => {
			for (const id of ids) owed.set(id, { may: new Set(), must: false, wanted: undefined })
		},
		tags: () => [...tags],
		brokenNow: () => {
			const { sealed, inDoubt, lies } = whole(() => readState(haven))
			const contents = inHaven()
			const isSafe = (id: SnapshotId, wanted: string) =>
				inDoubt.has(id) || (sealed.has(id) && contents.get(id) === wanted)
			const onNode = new Map(snapshotsOf(node).map(({ id, files }) => [id, files.size]))
			const lost = [...owed].filter(
				([id, { wanted }]) =>
					wanted !== undefined && !wanted.startsWith(`${onNode.get(id) ?? 0} files`) && !isSafe(id, wanted),
			)
			return [...lies, ...lost.map(([id]) => `${id} is whole neither on the node nor in the haven`)]
		},
		isSettled: () => {
			const sealed = inHaven()
			return [...owed].every(([id, { wanted }]) => wanted === undefined || sealed.get(id) === wanted)
		},
		wrong: () => {
			const { inDoubt, lies } = whole(() => readState(haven))
			const sealed = inHaven()
			return [...lies, ...[...owed].flatMap(([id, one]) => broken(id, one, sealed.get(id), inDoubt))]
		},
		snapshots: () => owed.size,
	}
}

function broken(
	id: SnapshotId,
	{ may, must, wanted }: Owed,
	found: string | undefined,
	inDoubt: ReadonlySet<string>,
): string[] {
	if (wanted !== undefined && found !== wanted) return [`${id} is not what was taken last, ${wanted}, but ${found}`]
	if (inDoubt.has(id)) return [`${id} is in doubt`]
	if (found === undefined) return must ? [`${id} was sealed once, and is gone`] : []
	return may.has(found) || found === wanted ? [] : [`${id} is nothing that was ever taken: ${found}`]
}

/** Reads again where the writer has taken something away meanwhile. */
function whole<T>(read: () => T): T {
	for (;;) {
		try {
			return read()
		} catch (error) {
			if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
		}
	}
}

function receiptsIn(haven: string): ReceiptText[] {
	return readReceipts(haven).flatMap((one) => ('receipt' in one ? [one.receipt] : []))
}

function idOf({ keyspace, table, tag }: ReceiptText): SnapshotId {
	return `${keyspace}/${table}/${tag}`
}

/** Names and checksums of a snapshot's files. */
function contentOf(files: Map<string, string>): string {
	return contentOfAll(Array.from(files, ([name, path]) => [name, crc32(readFileSync(path))]))
}

function contentOfReceipt({ files }: ReceiptText): string {
	return contentOfAll(files.map(({ path, crc32: crc }) => [path, Number.parseInt(crc, 16)]))
}

function contentOfAll(files: [string, number][]): string {
	const lines = files.map(([name, crc]) => `${name} ${crc}`).sort()
	return `${files.length} files, ${crc32(lines.join('\n'))}`
}

/** As Cassandra takes it: links, then what is written. */
function replay(from: Tree, to: Tree, folder: string, tag: string): void {
	const written: (() => void)[] = []
	for (const { path } of tagFolders({ ...from, folders: [folder] }, tag)) {
		const target = to.root + path.slice(from.root.length)
		mkdirSync(target, { recursive: true })
		for (const name of readdirSync(path)) {
			const [here, there] = [join(path, name), join(target, name)]
			if (name.startsWith('nb-')) linkSync(here, there)
			else written.push(() => copyFileSync(here, there))
		}
	}
	for (const write of written) write()
}

/** Live SSTables come before others go. */
function followLive(from: Tree, to: Tree): void {
	const live = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('nb-'))
	const tables = tagFolders(from, '').map(({ path }) => dirname(path))
	for (const here of tables) {
		const there = to.root + here.slice(from.root.length)
		const wanted = new Set(live(here))
		for (const name of wanted) if (!existsSync(join(there, name))) linkSync(join(here, name), join(there, name))
		for (const name of live(there)) if (!wanted.has(name)) rmSync(join(there, name))
	}
}
