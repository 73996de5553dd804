import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { runCli } from '../../support/cli.ts'
import type { SnapshotId } from '../../support/mirrored.ts'
import type { Tree } from '../../support/tree.ts'
import { readState } from '../promises.ts'
import { type Change, type ChangeRecord, changesOf, type Disk, pathsOf, readDisk } from './disk-model.ts'
import { copyNode } from './node-copy.ts'
import { makeOld, SCENARIOS, type Scenario } from './scenarios.ts'

/** A recorded run, kept in a folder so that other processes can try its states. */
export interface Recording {
	folder: string
	scenario: string
	node: Tree
	/** How the disk was at first, and at the end of the run. */
	before: Contents
	after: Contents
	exitCode: number
}

/** What a disk has: each file's CRC-32 by its path, and what stands behind true receipts. */
export interface Contents {
	files: Record<string, number>
	sealed: SnapshotId[]
	lies: string[]
}

/** What was known besides the disk at some instant. */
export interface Known {
	/** What the run had told to be sealed, or restored. */
	told: ReadonlySet<SnapshotId>
	/** Snapshots that it had told to be removed. */
	removed: ReadonlySet<SnapshotId>
	/** Files of the haven that it had told to be repaired, by their paths there. */
	repaired: ReadonlySet<string>
	/** Files that were deleted on the node, by their paths there. */
	gone: ReadonlySet<string>
	/** The node has seen the haven there. */
	remembered: boolean
}

/** Runs a scenario's command in a folder and writes down all that it changes; `recording.json` in the folder is the result. */
export async function record(name: string, folder: string): Promise<Recording> {
	const scenario = SCENARIOS[name]
	if (!scenario) throw new Error(`there is no scenario ${name}`)
	const node = await scenario.make(folder)
	makeOld(join(folder, 'node'))
	// The same inodes, so that what is recorded of them is understood.
	const [disk, start] = [join(folder, scenario.disk), join(folder, 'start')]
	mkdirSync(disk, { recursive: true })
	await cp(disk, start, { recursive: true, preserveTimestamps: true })
	writeFileSync(join(folder, 'start.json'), JSON.stringify(plainDisk(readDisk(disk))))
	const before = contentsOf(start)
	const haven = scenario.disk === 'haven' ? undefined : readDisk(join(folder, 'haven'))
	const exitCode = await runRecorded(scenario, folder, node)
	const changed = haven ? differencesOf(pathsOf(haven), pathsOf(readDisk(join(folder, 'haven')))) : []
	if (changed.length > 0) throw new Error(`the haven was only to be read: ${changed.join(', ')}`)
	const { records, end } = readRecording(folder)
	const untold = differencesOf(pathsOf(end), pathsOf(readDisk(disk)))
	if (untold.length > 0) throw new Error(`not all that was changed was recorded: ${untold.join(', ')}`)
	if (records.length === 0) throw new Error('nothing was recorded')
	const recording = { folder, scenario: name, node, before, after: contentsOf(disk), exitCode }
	// It may be moved.
	writeFileSync(join(folder, 'recording.json'), JSON.stringify(recording).replaceAll(folder, 'FOLDER'))
	return recording
}

async function runRecorded(scenario: Scenario, folder: string, node: Tree): Promise<number> {
	const { engine, flush, takes, disk } = scenario
	const [log, state] = [join(folder, 'log'), join(folder, 'state')]
	const worked = takes ? copyNode(node, join(folder, 'worked'), new Set()) : node
	const memory = join(state, 'havens.json')
	const env = {
		NODE_OPTIONS: `--import=${join(import.meta.dirname, 'record-changes.mjs')}`,
		SNAPHAVEN_RECORD: [log, join(folder, disk), worked.root, memory, engine, flush].join(' '),
		PATH: `${telltaleSync(folder, log)}:${process.env['PATH']}`,
		...scenario.env,
	}
	const args = scenario.command(worked, { haven: join(folder, 'haven'), restored: join(folder, 'restored') })
	const { exitCode, stderr } = await runCli(args, { env, stateDirectory: state })
	if (exitCode !== 0 && exitCode !== 3) throw new Error(`the recorded run ended with ${exitCode}: ${stderr}`)
	return exitCode
}

/** A `sync` that writes down when it begins and when all is flushed. */
function telltaleSync(folder: string, log: string): string {
	const place = join(folder, 'bin')
	mkdirSync(place)
	const note = (did: string) => `echo '{"did":"${did}","by":'$$'}' >>'${log}'`
	writeFileSync(join(place, 'sync'), `#!/bin/sh\n${note('sync')}\n/bin/sync "$@" || exit\n${note('synced')}\n`)
	chmodSync(join(place, 'sync'), 0o755)
	return place
}

/** What was recorded in that folder. */
export function readRecording(folder: string): {
	start: Disk
	records: ChangeRecord[]
	changes: Change[]
	end: Disk
} {
	const { folders, files } = JSON.parse(readFileSync(join(folder, 'start.json'), 'utf8'))
	const start: Disk = {
		folders: new Map(folders.map(([ino, names]: [number, [string, number][]]) => [ino, new Map(names)])),
		files: new Map(files.map(([ino, bytes]: [number, string]) => [ino, Buffer.from(bytes, 'base64')])),
	}
	const log = join(folder, 'log')
	const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
	const records = lines.map((line) => JSON.parse(line) as ChangeRecord)
	return { start, records, ...changesOf(start, records) }
}

function plainDisk({ folders, files }: Disk) {
	return {
		folders: Array.from(folders, ([ino, names]) => [ino, [...names]]),
		files: Array.from(files, ([ino, bytes]) => [ino, bytes.toString('base64')]),
	}
}

/** Reads a haven, a folder that was restored to, or a node, as a stranger would. */
export function contentsOf(disk: string): Contents {
	const files = [...pathsOf(readDisk(disk))].flatMap(([path, bytes]) => (bytes ? [[path, crc32(bytes)]] : []))
	const { sealed, lies } = readState(disk)
	return {
		files: Object.fromEntries(files),
		sealed: [...sealed],
		lies: lies.map((one) => one.replaceAll(disk, 'DISK')),
	}
}

/** What was known besides the disk after so many records. */
export function knownAfter(records: ChangeRecord[], count: number, { before }: Recording): Known {
	const told = new Set<SnapshotId>()
	const removed = new Set<SnapshotId>()
	const repaired = new Set<string>()
	const gone = new Set<string>()
	let remembered = before.sealed.length > 0
	for (const one of records.slice(0, count)) {
		if (one.did === 'gone') gone.add(one.path)
		if (one.did === 'remember') remembered = true
		for (const { type, id, paths } of one.did === 'tell' ? eventsIn(one.text) : []) {
			if (type === 'removed') removed.add(id)
			else if (type === 'repaired') for (const path of paths) repaired.add(path)
			else told.add(id)
		}
	}
	return { told, removed, repaired, gone, remembered }
}

const TELLING = ['sealed', 'adopted', 'live', 'removed', 'repaired', 'restored']

function eventsIn(text: string): { type: string; id: SnapshotId; paths: string[] }[] {
	return text
		.split('\n')
		.filter((line) => TELLING.some((type) => line.startsWith(`{"type":"${type}"`)))
		.map((line) => JSON.parse(line))
		.map(({ type, keyspace, table, tag = '', paths = [] }) => ({ type, id: `${keyspace}/${table}/${tag}`, paths }))
}

function differencesOf(one: Map<string, Buffer | undefined>, other: Map<string, Buffer | undefined>): string[] {
	const isSame = (path: string) =>
		one.has(path) && other.has(path) && (one.get(path)?.equals(other.get(path) ?? Buffer.alloc(0)) ?? !other.get(path))
	return [...new Set([...one.keys(), ...other.keys()])].filter((path) => !isSame(path))
}
