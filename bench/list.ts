import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { HavenRecord } from '../src/haven/haven-record.ts'
import { receiptPath } from '../src/haven/layout.ts'
import { type Receipt, writeReceipt } from '../src/haven/receipt.ts'
import { withChecksum } from '../src/haven/sealed-text.ts'
import { cliFile, nodeBinary } from '../test/support/cli.ts'
import { median } from './support/median.ts'
import { onTmpfs, placesMissing } from './support/places.ts'
import { secondsOf, turns } from './support/rounds.ts'
import type { Scenario } from './support/scenario.ts'

const tables = { full: 500, smoke: 5 }
const rounds = { full: 7, smoke: 1 }
const TAGS = 100
const FILES = 100

/** A first listing has to open each receipt; the figure that counts is that of those after it. */
export const list: Scenario = {
	name: 'list',
	title: '50,000 receipts of 100 files, on tmpfs: list beside find over their folders',
	missing: placesMissing,
	run: (scale) =>
		onTmpfs(3072, async (place) => {
			const haven = join(place, 'haven')
			makeReceipts(haven, tables[scale])
			const state = join(place, 'state')
			const command = [nodeBinary, cliFile, 'list', '-s', haven, '--state-dir', state]
			const first = await secondsOf(command)
			// What changed within two seconds is not remembered.
			await new Promise((resolve) => setTimeout(resolve, 2500))
			await secondsOf(command)
			const contenders = [
				{ name: 'find', command: ['find', join(haven, '.snaphaven/receipts')], times: [] as number[] },
				{ name: 'list', command, times: [] as number[] },
			]
			for (const { contender } of turns(contenders, rounds[scale])) {
				contender.times.push(await secondsOf(contender.command))
			}
			const [find = Number.NaN, again = Number.NaN] = contenders.map(({ times }) => median(times))
			return [
				{ what: 'find', value: find, unit: 's' },
				{ what: 'the first list', value: first, unit: 's' },
				{ what: 'list', value: again, unit: 's' },
				{ what: 'list / find', value: again / find, unit: '×', atMost: 20 },
			]
		}),
}

function makeReceipts(haven: string, count: number): void {
	mkdirSync(join(haven, '.snaphaven/partial'), { recursive: true })
	const names = { caseSensitive: true, anySign: true, anyBytes: true, nameBytesMax: 255 }
	const capabilities = { ...names, hardLinks: true, reflinks: false, mtimeGrainNs: 1, folderFlush: true }
	const owner = { machine: 'bench', host: 'bench' }
	const record: HavenRecord = { format: 1, id: 'bench', owner, madeAt: '2026-01-01T00:00:00.000Z', capabilities }
	writeFileSync(join(haven, '.snaphaven/haven.json'), withChecksum(JSON.stringify(record)))
	for (let number = 0; number < count; number++) {
		const table = `t${number}-${number.toString(16).padStart(32, '0')}`
		for (let tag = 0; tag < TAGS; tag++) {
			const receipt = receiptOf({ keyspace: `ks${number % 10}`, table, tag: `daily-${tag}` }, `${number}-${tag}`, tag)
			const path = join(haven, receiptPath(receipt))
			if (tag === 0) mkdirSync(dirname(path), { recursive: true })
			writeFileSync(path, writeReceipt(receipt))
		}
	}
}

function receiptOf(key: Pick<Receipt, 'keyspace' | 'table' | 'tag'>, id: string, day: number): Receipt {
	const at = new Date(Date.UTC(2026, 0, 1 + day)).toISOString()
	const files = Array.from({ length: FILES }, (_, file) => ({
		path: `nb-${file}-big-Data.db`,
		size: 123_456,
		mtimeNs: '1795261349821683759',
		...{ mode: 0o644, uid: 999, gid: 999, ino: '1234567', crc32: '0123abcd', readAt: at },
		how: 'copied' as const,
	}))
	const sizes = { fileCount: FILES, byteCount: FILES * 123_456, reusedByteCount: 0 }
	const rest = {
		snaphaven: '0.1.0',
		sstableVersions: ['nb'],
		notes: [],
		source: { folders: [], files: [] },
		folders: [],
	}
	return { format: 1, ...key, state: 'whole', id, sealedAt: at, takenAt: at, ...sizes, ...rest, files }
}
