import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { readReceipts } from '../test/support/receipts.ts'
import { makeTree, removeLive, type Tree, takeSnapshot } from '../test/support/tree.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 5, smoke: 1 }
const megabytes = { full: 2048, smoke: 16 }

export const largeFile: Scenario = {
	name: 'large-file',
	title: 'one Data.db of 2 GiB, from tmpfs to tmpfs',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(megabytes[scale] + 64, async (source) => {
			const { tree, data, crc } = makeLargeTree(join(source, 'node'), megabytes[scale])
			const times = await medians({
				rounds: rounds[scale],
				withTarget: (use) => onTmpfs(megabytes[scale] + 64, use),
				contenders: [
					{ name: 'cp --reflink=never', command: (target) => ['cp', '--reflink=never', data, target] },
					{ name: 'rsync -a', command: (target) => ['rsync', '-a', data, target] },
					{
						name: 'snaphaven',
						command: (target) => syncCommand(tree, target),
						check: (target) => assertSealed(havenIn(target), crc),
					},
				],
			})
			return compared(times, 1.3)
		}),
}

/** A tree whose only snapshot is, nearly all of it, one file. */
function makeLargeTree(root: string, sizeMB: number): { tree: Tree; data: string; crc: number } {
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

function assertSealed(haven: string, crc: number): void {
	const [found] = readReceipts(haven)
	const files = found && 'receipt' in found ? found.receipt.files : []
	const told = files.find(({ path }) => path === 'nb-1-big-Data.db')?.crc32
	if (told !== crc.toString(16).padStart(8, '0'))
		throw new Error(`the receipt has CRC-32 ${told} for Data.db, not ${crc}`)
}
