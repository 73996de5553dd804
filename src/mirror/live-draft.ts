import { dirname } from 'node:path'
import type { LiveListing } from '../cassandra/live-listing.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { createFile } from '../files/contents.ts'
import { removeTree } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { gathering, isBackups, PARTIAL, receiptPath } from '../haven/layout.ts'
import type { LiveTurn } from '../haven/live-turn.ts'
import {
	FORMAT,
	type Receipt,
	type ReceiptFile,
	type ReceiptFolder,
	reusedFrom,
	type SourceIdentity,
	writeReceipt,
} from '../haven/receipt.ts'
import { checksumAt } from '../haven/receipts.ts'
import { checksumOf } from '../haven/sealed-text.ts'
import { onHaven } from '../haven/trouble.ts'
import { version } from '../version.ts'
import { dressPieced } from './complete.ts'
import { receiptFile, sizeOf, versionsOf } from './draft.ts'
import { keyOf } from './gather-order.ts'
import type { LiveDecision } from './live-decision.ts'
import type { LiveOrder, ReadyLive } from './live-look.ts'
import { amountsOf } from './plan.ts'
import { findDamage } from './proof.ts'
import { withTexts } from './read-texts.ts'

/** A set of which every file is in the haven or gathered. */
interface LiveDraft {
	listing: LiveListing
	decision: LiveDecision
	/** When the look at it began, ISO 8601. */
	lookedAt: string
}

/** What a path weighs in a group, beside its bytes: intents are to stay small. */
const PATH_BYTES = 4096

/** Makes the receipt of a set that can be published, and writes it beside what was gathered. */
export function* draftLive(order: LiveOrder, draft: LiveDraft): Io<ReadyLive> {
	const { decision } = draft
	const { add, keep, remove, clear, replace, count, problems } = decision
	const gathered = add.map(({ file, ...how }) => ({ path: file.path, ...how }))
	const damage = findDamage(yield* withTexts(order, gathered))
	const now = new Date().toISOString()
	const reasons = new Map(damage.map(({ path, reason }) => [path, reason]))
	const files = [...keep, ...add.map((one) => receiptFile(one, now, reasons.get(one.file.path)))]
	const receipt = receiptOf(order, draft, files, now)
	const text = writeReceipt(receipt)
	const replaces =
		order.base === undefined ? undefined : yield* onHaven(checksumAt(order.base, receiptPath(keyOf(order))))
	const publication: LiveTurn = {
		number: order.number,
		key: keyOf(order),
		receiptChecksum: checksumOf(text),
		...(replaces === undefined ? {} : { replaces }),
		folders: [...new Set(files.map(({ path }) => dirname(path)))].filter((folder) => folder !== '.'),
		add: add.map(({ file }) => file.path),
		replace,
		clear,
		remove,
		...(order.keepIn === undefined ? {} : { keepIn: order.keepIn }),
	}
	if (!order.dryRun) {
		yield* onHaven(
			dressPieced(
				order,
				add.map(({ file, how }) => ({ file, how })),
			),
		)
		yield* onHaven(writeBeside(order, text))
	}
	const amounts = amountsOf(add.map(({ how, file }) => ({ how, size: file.size })))
	const bytes = sizeOf(files.slice(keep.length)) + PATH_BYTES * (add.length + clear.length + remove.length)
	return { publication, count, amounts, damage, problems, bytes, flushFailures: order.flushFailures }
}

function* writeBeside(order: LiveOrder, text: string): Io<void> {
	const path = `${order.base}/${gathering.receipt(order.partial, order.number)}`
	yield* removeTree(path)
	yield* createFile(path, text, { mode: 0o644, flush: order.flushEach })
}

function receiptOf(order: LiveOrder, draft: LiveDraft, files: ReceiptFile[], now: string): Receipt {
	const { listing, decision, lookedAt } = draft
	const { dataDirectories, folders, parents } = listing
	const { keyspace, table } = order.location
	const reused = reusedFrom(files)
	return {
		format: FORMAT,
		keyspace,
		table,
		tag: order.tag,
		state: files.some(({ damage }) => damage !== undefined) ? 'damaged' : 'whole',
		id: `${order.partial.slice(PARTIAL.length + 1)}-${order.number}`,
		sealedAt: now,
		takenAt: lookedAt,
		snaphaven: version,
		sstableVersions: versionsOf(files),
		fileCount: files.length,
		byteCount: sizeOf(files),
		reusedByteCount: sizeOf(files.filter(({ how }) => how === 'reused')),
		...(reused.length === 0 ? {} : { reusedFrom: reused }),
		notes: decision.undecided.map((prefix) => `left as it was: ${prefix.slice(0, -1)}`),
		source: {
			folders: folders.map(({ directory, path, own }) => ({
				dataDirectory: dataDirectories[directory] ?? '',
				path,
				ino: String(own.ino),
				mtimeNs: String(own.mtimeNs),
			})),
			files: isBackups(order.tag) ? dataFiles(draft) : [],
			parents: parents.map((one, directory) => ({ dataDirectory: dataDirectories[directory] ?? '', ...one })),
		},
		folders: innerFolders(listing, files),
		files,
	}
}

/** By which a later look knows, from the head alone, what the haven has. */
function dataFiles({ listing, decision }: LiveDraft): SourceIdentity['files'] {
	return decision.add
		.filter(({ file }) => parseComponent(file.path)?.component === 'Data.db')
		.map(({ file: { path, directory, ino, size, mtimeNs } }) => ({
			...{ path, dataDirectory: listing.dataDirectories[directory] ?? '' },
			...{ ino: String(ino), size, mtimeNs: String(mtimeNs) },
		}))
}

function innerFolders({ folders }: LiveListing, files: ReceiptFile[]): ReceiptFolder[] {
	const used = new Set(files.map(({ path }) => dirname(path)))
	const inner = new Map<string, ReceiptFolder>()
	for (const { path, own } of folders) {
		const { mode, uid, gid } = own
		if (path !== '' && used.has(path) && !inner.has(path)) inner.set(path, { path, mode, uid, gid })
	}
	return [...inner.values()]
}
