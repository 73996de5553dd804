import { mkdir } from 'node:fs/promises'
import { failure, SnaphavenError, usageError } from '../errors.ts'
import { constants, fs, uniqueName } from '../files/builtins.ts'
import { flushFolder, itself, makeFolder } from '../files/folders.ts'
import { hasCode, runAsync } from '../files/io.ts'
import { open } from '../files/operations.ts'
import { type FlushWay, flushWayOf } from './flush.ts'
import { makeFlusher } from './flusher.ts'
import { type HavenRecord, putFirstRecord, readHavenRecord, replaceRecord } from './haven-record.ts'
import {
	BACKUPS_RECEIPTS,
	DELETED,
	FACTS_TAGS,
	LIVE_RECEIPTS,
	PARTIAL,
	PRIVATE,
	RECEIPTS,
	SET_ASIDE,
} from './layout.ts'
import { thisMachine, thisProcess } from './machine.ts'
import { recallHaven, rememberHaven } from './memory.ts'
import { checkPlace, deviceOf } from './place.ts'
import { probe } from './probe.ts'
import { FORMAT } from './receipt.ts'
import { refuseLinks } from './renames.ts'

/** An opened haven. All its paths go through the opened root, so that they never lead into a bare mount point. */
export interface Haven {
	/** As the user named it, for messages. */
	path: string
	/** The root's file descriptor. */
	root: number
	/** The root as a path, `/proc/self/fd/<root>`. */
	base: string
	record: HavenRecord
	flushWay: FlushWay
	/** Makes all that was written to its file system durable; for those whose way that is (flushWay). */
	flushFileSystem: () => Promise<void>
	/** How many such flushes have failed: what was written before one did, and not flushed before it, may be lost. */
	flushFailures: () => number
	close: () => Promise<void>
}

export interface OpenOptions {
	path: string
	dataDirectories: string[]
	stateDirectory: string
	/** Make it new even where one was known before. */
	newHaven: boolean
	/** Make it this node's, where it is another's. */
	takeOver: boolean
	/** Make it only where it is not on the system's own file system. */
	requireMount: boolean
	warn: (message: string) => void
}

/** What is written into whatever the node has; a table's folders are looked at when they are written into. */
const OWN_FOLDERS = [
	'data',
	PRIVATE,
	PARTIAL,
	RECEIPTS,
	LIVE_RECEIPTS,
	BACKUPS_RECEIPTS,
	SET_ASIDE,
	DELETED,
	FACTS_TAGS,
].map((path) => `${path}/`)

/**
 * Opens the haven, making it where there is none; refuses what is not ours, not a fit place, or not understood. What is
 * to be written to has to be claimed, once its lease is taken.
 */
export async function openHaven(options: OpenOptions): Promise<Haven> {
	const { path } = options
	await checkPlace(path, options.dataDirectories)
	try {
		await runAsync(refuseLinks(path, ...OWN_FOLDERS))
		const record = (await readHavenRecord(path)) ?? (await make(options))
		if (!options.takeOver) refuseForeign(path, record)
		await refuseOther(options, record)
		await remember(options, record.id)
		const root = await runAsync(open(path, constants.O_RDONLY | constants.O_DIRECTORY))
		const base = itself(root)
		return { path, base, record, flushWay: await flushWayOf(base), ...opened(root) }
	} catch (error) {
		throw openingTrouble(path, error)
	}
}

/** Opens a haven that is there, for reading alone: nothing is made, measured or claimed. Undefined where there is none. */
export async function openExistingHaven(options: OpenOptions): Promise<Haven | undefined> {
	const { path } = options
	await checkPlace(path, options.dataDirectories)
	try {
		await runAsync(refuseLinks(path, ...OWN_FOLDERS))
		const record = await readHavenRecord(path)
		if (!record) {
			await refuseUnmounted(options)
			return undefined
		}
		if (!options.takeOver) refuseForeign(path, record)
		const root = await runAsync(open(path, constants.O_RDONLY | constants.O_DIRECTORY))
		return {
			path,
			base: itself(root),
			record,
			flushWay: 'each file',
			...opened(root),
		}
	} catch (error) {
		throw openingTrouble(path, error)
	}
}

function opened(root: number): Pick<Haven, 'root' | 'flushFileSystem' | 'flushFailures' | 'close'> {
	const { flush, failures, close } = makeFlusher(root)
	let closing: Promise<void> | undefined
	return {
		root,
		flushFileSystem: flush,
		flushFailures: failures,
		close: () => {
			closing ??= close().then(() => closeRoot(root))
			return closing
		},
	}
}

/** Nothing was written by it: that it was not closed as it should be means nothing. */
function closeRoot(root: number): void {
	try {
		fs.closeSync(root)
	} catch (error) {
		if (!hasCode(error)) throw error
	}
}

async function refuseUnmounted({ path, newHaven, stateDirectory }: OpenOptions): Promise<void> {
	if (newHaven || (await recallHaven(stateDirectory, path)) === undefined) return
	throw failure(
		`a haven was at ${path} before, and is not there now: is the NAS mounted?`,
		'Mount it; nothing was written. If it is gone for good and a new haven is to be made there, give --new-haven.',
	)
}

/** Two havens of one node are mounted in each other's places: what one has is not to be taken for the other's. */
async function refuseOther(
	{ path, newHaven, takeOver, stateDirectory }: OpenOptions,
	{ id }: HavenRecord,
): Promise<void> {
	const known = await recallHaven(stateDirectory, path)
	if (known === undefined || known === id || newHaven || takeOver) return
	throw failure(
		`the haven at ${path} is another one than was there before: is the right NAS mounted?`,
		'Mount the other; nothing was written. If this one is to be used from now on, give --new-haven.',
	)
}

async function make(options: OpenOptions): Promise<HavenRecord> {
	const { path } = options
	await refuseUnmounted(options)
	if (options.requireMount && (await deviceOf(path)) === (await deviceOf('/'))) {
		throw failure(
			`nothing is mounted at ${path}: it is on the system’s own file system`,
			'Mount the NAS; nothing was written. If the haven is to be there all the same, leave --require-mount out.',
		)
	}
	await mkdir(path, { recursive: true })
	const { machine, host } = thisProcess()
	for (const folder of [PRIVATE, PARTIAL, RECEIPTS]) await runAsync(makeFolder(`${path}/${folder}`, 0o777))
	const record: HavenRecord = {
		format: FORMAT,
		id: uniqueName(),
		owner: { machine, host },
		madeAt: new Date().toISOString(),
		capabilities: await runAsync(probe(`${path}/${PRIVATE}/probe-${uniqueName()}`)),
	}
	// With the record there, nobody makes them any more.
	if (record.capabilities.folderFlush) await runAsync(flushFolder(`${path}/${PRIVATE}`))
	await runAsync(putFirstRecord(path, record))
	// Another process may have been quicker, on another node even.
	return (await readHavenRecord(path)) ?? record
}

/**
 * Makes sure of an opened haven that its lease was taken of: that haven.json still is what was read when it was opened,
 * and this node's; another node's is made this node's where that was asked for. Not before: who is refused the lease
 * changes nothing.
 */
export async function claimHaven({ path, base, record: opened }: Haven, takeOver: boolean): Promise<void> {
	const record = await readHavenRecord(base, path)
	if (record?.id !== opened.id) {
		throw failure(
			`the haven ${path} became another one while it was opened`,
			'Two processes may have made it at the same instant: run it again.',
		)
	}
	if (!takeOver) refuseForeign(path, record)
	const { machine, host } = thisProcess()
	if (record.owner.machine === machine) return
	await runAsync(replaceRecord(base, { ...record, owner: { machine, host } }))
}

function refuseForeign(path: string, { owner }: HavenRecord): void {
	if (owner.machine === thisMachine()) return
	throw usageError(
		`the haven ${path} belongs to another node, ${owner.host}`,
		'Give each node a haven of its own (-s /mnt/nas/{host}). If this node replaces that one, give --take-over.',
	)
}

async function remember({ stateDirectory, path, warn }: OpenOptions, id: string): Promise<void> {
	try {
		await rememberHaven(stateDirectory, path, id)
	} catch (error) {
		warn(
			`can’t remember the haven in ${stateDirectory} (${hasCode(error) ? error.code : error}): should the NAS not be mounted one day, a new haven would be begun in its place; give --state-dir`,
		)
	}
}

/** Says what a system error means for a haven that is being opened. */
export function openingTrouble(path: string, error: unknown): SnaphavenError | unknown {
	if (!hasCode(error)) return error
	const say = (what: string, hint: string) => failure(`the haven ${path} ${what}`, hint, error)
	switch (error.code) {
		case 'EACCES':
		case 'EPERM':
			return new SnaphavenError(`the haven ${path} can’t be written by this user (${error.code})`, {
				exitCode: 2,
				hint: 'Run as a user who may, or give it to this one.',
				cause: error,
			})
		case 'EROFS':
			return say(
				'is on a read-only file system',
				'Mount it writable; if it was, look in the kernel’s log for why it was made read-only.',
			)
		case 'ENOSPC':
		case 'EDQUOT':
			return say('is full', 'Free some space there, or give a larger place.')
		default:
			return say(`can’t be opened: ${error.message}`, 'See that it is mounted and answers.')
	}
}
