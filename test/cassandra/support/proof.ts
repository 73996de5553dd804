import { AssertionError } from 'node:assert'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { liesOf, type ReceiptText, readReceipts } from '../../support/receipts.ts'
import type { TakenSnapshot } from './snapshots.ts'

/** Most differences that a failed assertion names. */
const namedDifferencesMax = 10

/** Names one table's snapshot of one tag. */
export type SnapshotName = Pick<TakenSnapshot, 'keyspace' | 'table' | 'tag'>

/** How much was compared, so that a test can say that it was not nothing. */
export interface Proven {
	files: number
	/** Data.db files whose digest, as Cassandra wrote it, is the CRC-32 of the receipt. */
	digests: number
}

/**
 * Throws unless each of these snapshots is in the haven as on the node: the files of all data directories and no others,
 * equal to the byte, with a receipt that is whole, names these very files with the node's sizes and times, and agrees with
 * Cassandra's own digests.
 */
export function assertProven(dataDirectories: string[], haven: string, snapshots: SnapshotName[]): Proven {
	const receipts = new Map(readReceipts(haven).map((found) => ['receipt' in found ? keyOf(found.receipt) : '', found]))
	const proven: Proven = { files: 0, digests: 0 }
	const differences: string[] = []
	for (const snapshot of snapshots) {
		const found = receipts.get(keyOf(snapshot))
		const onNode = filesOnNode(dataDirectories, snapshot)
		if (found === undefined || !('receipt' in found)) {
			differences.push(`${keyOf(snapshot)} has no receipt that can be read`)
			continue
		}
		proven.files += onNode.size
		differences.push(
			...otherFiles(onNode, placeOf(haven, snapshot)),
			...otherReceipt(onNode, found.receipt),
			...liesOf(haven, found.receipt),
			...otherDigests(found.receipt, placeOf(haven, snapshot), proven),
		)
	}
	if (differences.length > 0) {
		const named = differences.slice(0, namedDifferencesMax).join('\n')
		throw new AssertionError({ message: `${differences.length} differences between node and haven:\n${named}` })
	}
	return proven
}

/** The snapshot's folder in the haven. */
export function placeOf(haven: string, { keyspace, table, tag }: SnapshotName): string {
	return join(haven, 'data', keyspace, table, 'snapshots', tag)
}

/** The receipt of a snapshot; undefined where there is none that can be read. */
export function receiptOf(haven: string, snapshot: SnapshotName): ReceiptText | undefined {
	for (const found of readReceipts(haven)) {
		if ('receipt' in found && keyOf(found.receipt) === keyOf(snapshot)) return found.receipt
	}
	return undefined
}

/** Each file of a snapshot, by its path in it, over all data directories: where it lies on the node. */
export function filesOnNode(dataDirectories: string[], { keyspace, table, tag }: SnapshotName): Map<string, string> {
	const files = new Map<string, string>()
	for (const directory of dataDirectories) {
		for (const [path, file] of filesIn(join(directory, keyspace, table, 'snapshots', tag))) {
			if (files.has(path)) throw new Error(`${path} of ${table} is in two data directories`)
			files.set(path, file)
		}
	}
	return files
}

/** Every snapshot of some keyspaces that has a folder in a data directory. */
export function snapshotsOn(dataDirectories: string[], keyspaces: string[]): SnapshotName[] {
	const snapshots = new Map<string, SnapshotName>()
	for (const folder of dataDirectories.flatMap((directory) => keyspaces.map((keyspace) => join(directory, keyspace)))) {
		for (const table of existsSync(folder) ? readdirSync(folder) : []) {
			const tags = join(folder, table, 'snapshots')
			for (const tag of existsSync(tags) ? readdirSync(tags) : []) {
				const snapshot = { keyspace: basename(folder), table, tag }
				snapshots.set(keyOf(snapshot), snapshot)
			}
		}
	}
	return [...snapshots.values()]
}

/** Every file below a folder, by its path in it. */
export function filesIn(folder: string): Map<string, string> {
	if (!existsSync(folder)) return new Map()
	const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
	const files = entries.map((entry) => join(entry.parentPath, entry.name))
	return new Map(files.map((file) => [relative(folder, file), file]))
}

/** Names a snapshot in one string. */
export function keyOf({ keyspace, table, tag }: SnapshotName): string {
	return `${keyspace}/${table}/${tag}`
}

function otherFiles(onNode: Map<string, string>, place: string): string[] {
	const inHaven = filesIn(place)
	const missing = [...onNode.keys()].filter((path) => !inHaven.has(path))
	const added = [...inHaven.keys()].filter((path) => !onNode.has(path))
	const changed = [...onNode].filter(([path, file]) => {
		const copy = inHaven.get(path)
		return copy !== undefined && !readFileSync(copy).equals(readFileSync(file))
	})
	return [
		...missing.map((path) => `missing in the haven: ${join(place, path)}`),
		...added.map((path) => `not on the node: ${join(place, path)}`),
		...changed.map(([path, file]) => `other bytes: ${join(place, path)}, on the node ${file}`),
	]
}

function otherReceipt(onNode: Map<string, string>, receipt: ReceiptText): string[] {
	const told = receipt.files.map(({ path, size, mtimeNs }) => `${path}, ${size} bytes, changed at ${mtimeNs}`)
	const found = [...onNode].map(([path, file]) => {
		const { size, mtimeNs } = lstatSync(file, { bigint: true })
		return `${path}, ${size} bytes, changed at ${mtimeNs}`
	})
	return [
		...(receipt.state === 'whole' ? [] : [`${keyOf(receipt)} is sealed as ${receipt.state}`]),
		...found.filter((line) => !told.includes(line)).map((line) => `not in the receipt of ${keyOf(receipt)}: ${line}`),
		...told.filter((line) => !found.includes(line)).map((line) => `only in the receipt of ${keyOf(receipt)}: ${line}`),
	]
}

function otherDigests(receipt: ReceiptText, place: string, proven: Proven): string[] {
	const data = receipt.files.filter(({ path }) => path.endsWith('-Data.db'))
	return data.flatMap(({ path, crc32 }) => {
		const digest = join(place, dirname(path), basename(path).replace(/Data\.db$/, 'Digest.crc32'))
		const told = Number(readFileSync(digest, 'utf8'))
		proven.digests++
		return Number.parseInt(crc32, 16) === told ? [] : [`${path} has CRC-32 ${crc32}, its digest says ${told}`]
	})
}
