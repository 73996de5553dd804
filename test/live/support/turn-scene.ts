import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Io } from '../../../src/files/io.ts'
import { unlink } from '../../../src/files/operations.ts'
import { gathering, LIVE, receiptPath, tableFolder } from '../../../src/haven/layout.ts'
import {
	clearUpLive,
	findLiveIntents,
	type LiveTurn,
	putLive,
	takeLiveOut,
	writeLiveIntent,
} from '../../../src/haven/live-turn.ts'
import { recoverLive } from '../../../src/haven/live-undo.ts'
import { type Receipt, type ReceiptFile, writeReceipt } from '../../../src/haven/receipt.ts'
import { checksumOf } from '../../../src/haven/sealed-text.ts'
import { inTurn } from '../../support/in-turn.ts'

/** Contents by paths in a table's folder. */
export type Files = Map<string, string>

const COMPONENTS = ['Data.db', 'Index.db', 'Statistics.db', 'Digest.crc32', 'TOC.txt']
export const KEY = { keyspace: 'ks', table: `t-${'0'.repeat(32)}`, tag: LIVE }
export const PARTIAL = '.snaphaven/partial/0123456789abcdef'
const NUMBER = 7

function sstable(prefix: string, version: string, more: string[] = []): [string, string][] {
	return [...COMPONENTS, ...more].map((component) => [prefix + component, `${component} of ${prefix} ${version}`])
}

/** A table's live set before a turn and after it: a compaction, rewritten components, a name that is given again. */
export const OLD: Files = new Map([
	...sstable('nb-1-big-', 'one'),
	...sstable('nb-2-big-', 'one'),
	...sstable('nb-4-big-', 'one', ['SAI+aa+i+Meta.db', 'SAI+aa+i+ColumnComplete.db']),
	...sstable('nb-9-big-', 'one'),
	...sstable('.old_index/nb-1-big-', 'one'),
])
export const NEW: Files = new Map([
	...sstable('nb-3-big-', 'one'),
	...sstable('nb-4-big-', 'one'),
	...(['Statistics.db', 'TOC.txt'] as const).map((one): [string, string] => [`nb-4-big-${one}`, `${one} written anew`]),
	...sstable('nb-9-big-', 'two'),
	...sstable('.new_index/nb-1-big-', 'one'),
])
/** What nobody's receipt knows. */
export const STRANGERS: Files = new Map([
	['nb-3-big-Data.db', 'a stranger in the way'],
	['nb-5-big-Data.db', 'a stranger'],
])

/** A haven in which the turn from OLD to NEW is about to be done: gathered, its intent written. */
export function makeTurn(base: string): LiveTurn {
	const place = join(base, tableFolder(KEY))
	for (const [path, text] of [...OLD, ...STRANGERS]) write(join(place, path), text)
	const old = writeReceipt(receiptOf(OLD))
	write(join(base, receiptPath(KEY)), old)
	const added = [...NEW].filter(([path, text]) => OLD.get(path) !== text)
	for (const [path, text] of added) write(join(base, gathering.folder(PARTIAL, NUMBER), path), text)
	const text = writeReceipt(receiptOf(NEW))
	write(join(base, gathering.receipt(PARTIAL, NUMBER)), text)
	const last = (path: string) => (path.endsWith('TOC.txt') ? 2 : path.endsWith('Data.db') ? 1 : 0)
	const coming = added.map(([path]) => path).sort((a, b) => last(a) - last(b))
	const going = [...OLD.keys()].filter((path) => !NEW.has(path)).sort((a, b) => last(b) - last(a))
	return {
		number: NUMBER,
		key: KEY,
		receiptChecksum: checksumOf(text),
		replaces: checksumOf(old),
		folders: ['.new_index'],
		add: coming,
		replace: coming.filter((path) => OLD.has(path) && !path.startsWith('nb-9')),
		clear: [...OLD.keys()].filter((path) => path.startsWith('nb-9')).sort((a, b) => last(b) - last(a)),
		remove: going,
	}
}

/** All that is done for a turn, in its order. */
export function* wholeTurn(base: string, turn: LiveTurn): Io<void> {
	const intent = gathering.liveIntent(PARTIAL, 0)
	yield* writeLiveIntent(base, intent, [turn], false)
	yield* putLive(base, PARTIAL, turn)
	yield* takeLiveOut(base, PARTIAL, turn)
	yield* unlink(`${base}/${intent}`)
	yield* clearUpLive(base, PARTIAL, turn)
}

/** What the next start does about it; gives how it was recovered, nothing where no intent was left. */
export function* recovery(base: string): Io<string[]> {
	const came: string[] = []
	for (const { path, turns } of yield* findLiveIntents(base, PARTIAL)) {
		for (const turn of turns) {
			const recovered = yield* recoverLive(base, PARTIAL, turn)
			came.push(recovered.came)
			if (recovered.came === 'forward') yield* takeLiveOut(base, PARTIAL, turn)
		}
		yield* unlink(`${base}/${path}`)
		for (const turn of turns) yield* clearUpLive(base, PARTIAL, turn)
	}
	return came
}

/** Makes so many calls of the work, and no more: a process that is killed then does nothing else. True at its end. */
export function runUntil(io: Io<unknown>, calls: number): boolean {
	const serial = inTurn(io)
	let next = serial.next()
	for (let made = 0; !next.done; made++) {
		if (made === calls) return false
		const step = next.value
		if (!('sync' in step)) throw new Error('it was to be taken apart')
		let value: unknown
		try {
			value = step.sync(...(step.args as never[]))
		} catch (error) {
			next = serial.throw(error)
			continue
		}
		next = serial.next(value)
	}
	return true
}

/** The files of the table's folder in the haven. */
export function standing(base: string): Files {
	return filesBelow(join(base, tableFolder(KEY)))
}

/** The contents of all files below a folder. */
export function filesBelow(folder: string, encoding: 'utf8' | 'latin1' = 'utf8'): Files {
	if (!existsSync(folder)) return new Map()
	const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
	return new Map(
		files
			.map(({ parentPath, name }) => join(parentPath, name))
			.map((path) => [relative(folder, path), readFileSync(path, encoding)]),
	)
}

/** The set that the table's receipt tells of; undefined where there is none. */
export function told(base: string): 'old' | 'new' | undefined {
	const path = join(base, receiptPath(KEY))
	if (!existsSync(path)) return undefined
	return readFileSync(path, 'utf8') === writeReceipt(receiptOf(OLD)) ? 'old' : 'new'
}

function write(path: string, text: string): void {
	mkdirSync(dirname(path), { recursive: true })
	writeFileSync(path, text)
}

const NOW = '2026-11-21T08:00:00.000Z'

/** A receipt of a live set of these files. */
export function receiptOf(files: Files): Receipt {
	return {
		...{ format: 1, ...KEY, state: 'whole', id: 'one', sealedAt: NOW, takenAt: NOW, snaphaven: '0' },
		...{ sstableVersions: [], fileCount: files.size, byteCount: 0, notes: [], source: { folders: [], files: [] } },
		folders: [],
		files: [...files].map(
			([path, text]): ReceiptFile => ({
				...{ path, size: Buffer.byteLength(text), mtimeNs: '1', mode: 0o644, uid: 0, gid: 0, ino: '1' },
				...{ crc32: crc32(text).toString(16).padStart(8, '0'), readAt: NOW, how: 'copied' },
			}),
		),
	}
}
