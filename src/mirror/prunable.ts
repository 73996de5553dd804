import type { Gathered } from '../cassandra/live-sstables.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import type { Receipt, ReceiptFile } from '../haven/receipt.ts'
import { isVeryFile } from './compare.ts'

/** An SSTable in `backups/` that may go from the node, as far as receipts tell. */
export interface Prunable {
	sstable: Gathered
	/** The part that it was sealed with, and its files there. */
	part: Pick<Receipt, 'keyspace' | 'table' | 'tag'>
	files: ReceiptFile[]
}

/** What of a table's `backups/` may go from the node. */
export interface Pruning {
	go: Prunable[]
	/** What was sealed and stays, and why, each in words. */
	kept: string[]
	/** When the next may go, ms since the epoch; undefined where none waits for that. */
	untilMs: number | undefined
}

/**
 * Decides which SSTables in `backups/` on the node may be deleted there: those of which each file is the very one of a
 * receipt (inode, size, mtime; of what Cassandra writes into, the inode), that were whole, and that were sealed long enough
 * ago. What is not sealed yet stays without a word. A pure function.
 */
export function findPrunable(
	sstables: readonly Gathered[],
	receipts: readonly Receipt[],
	{ afterMs, nowMs }: { afterMs: number; nowMs: number },
): Pruning {
	const known = new Map<string, { receipt: Receipt; file: ReceiptFile }[]>()
	for (const receipt of receipts) {
		for (const file of receipt.files) {
			const others = known.get(file.path)
			if (others) others.push({ receipt, file })
			else known.set(file.path, [{ receipt, file }])
		}
	}
	const pruning: Pruning = { go: [], kept: [], untilMs: undefined }
	for (const sstable of sstables) {
		const files = filesOf(sstable)
		const data = files.find(({ path }) => parseComponent(path)?.component === 'Data.db')
		const part = data && known.get(data.path)?.find(({ file }) => isVeryFile(data, file))?.receipt
		if (!part) continue
		const name = sstable.prefix.slice(0, -1)
		const own = part.files.filter(({ path }) => parseComponent(path)?.prefix === sstable.prefix)
		const reason = whyNot(files, own)
		const untilMs = Date.parse(part.sealedAt) + afterMs
		if (reason !== undefined) pruning.kept.push(`${name}: ${reason}`)
		else if (untilMs > nowMs) pruning.untilMs = Math.min(untilMs, pruning.untilMs ?? untilMs)
		else pruning.go.push({ sstable, part, files: own })
	}
	return pruning
}

function filesOf({ prefix, files }: Gathered) {
	const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
	return files.map((file) => ({ ...file, path: folder + file.name }))
}

function whyNot(files: ReturnType<typeof filesOf>, sealed: readonly ReceiptFile[]): string | undefined {
	if (sealed.some(({ damage }) => damage !== undefined)) {
		return 'it is damaged, and the node may have the only better copy'
	}
	for (const file of files) {
		const was = sealed.find(({ path }) => path === file.path)
		if (!was) return `${file.path} is not in the receipt`
		if (!isVeryFile(file, was)) return `${file.path} is not the file that was copied`
	}
	return undefined
}
