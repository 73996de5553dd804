import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { execa } from 'execa'
import { readReceipts } from '../../test/support/receipts.ts'
import { makeTree, removeLive, type Tree, takeSnapshot } from '../../test/support/tree.ts'

/** A tree whose only snapshot is, nearly all of it, one file; the path of that, and its CRC-32. */
export function makeLargeTree(root: string, sizeMB: number): { tree: Tree; data: string; crc: number } {
	const tree = makeTree(root, { tables: 1, sstables: 1 })
	const table = join(root, 'data', tree.keyspace, tree.folders[0] ?? '')
	const chunk = randomFillSync(Buffer.alloc(1024 * 1024))
	const file = openSync(join(table, 'nb-1-big-Data.db'), 'w')
	let crc = 0
	for (let written = 0; written < sizeMB; written++) {
		chunk.writeUInt32LE(written)
		crc = crc32(chunk, crc)
		writeSync(file, chunk)
	}
	closeSync(file)
	writeFileSync(join(table, 'nb-1-big-Digest.crc32'), String(crc))
	takeSnapshot(tree, 'daily')
	removeLive(tree)
	return { tree, data: join(table, 'snapshots/daily/nb-1-big-Data.db'), crc }
}

/** Throws where the haven's receipt tells another CRC-32 of it. */
export function assertSealed(haven: string, crc: number): void {
	const [found] = readReceipts(haven)
	const files = found && 'receipt' in found ? found.receipt.files : []
	const told = files.find(({ path }) => path === 'nb-1-big-Data.db')?.crc32
	if (told !== crc.toString(16).padStart(8, '0'))
		throw new Error(`the receipt has CRC-32 ${told} for Data.db, not ${crc}`)
}

/** Makes a file durable, and has the kernel forget what is in it: to read it is the disk's work then. */
export async function forget(path: string): Promise<void> {
	await execa('sync', ['-f', path])
	await execa('dd', [`if=${path}`, 'iflag=nocache', 'count=0'])
}
