import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { runCli } from '../../support/cli.ts'
import type { SnapshotId } from '../../support/mirrored.ts'
import { linkTree, type Tree } from '../../support/tree.ts'
import { readState } from '../promises.ts'
import type { Scene } from '../scene.ts'
import { type Change, type ChangeRecord, changesOf, type Disk, pathsOf, readDisk } from './disk-model.ts'
import type { Known } from './try-state.ts'

/** What is recorded: over which haven, by which of the two engines, and how it flushes. */
export interface Recorded {
	/** The haven of a day before, or none. */
	from: 'yesterday' | 'none'
	engine: 'quick' | 'slow'
	flush: 'file system' | 'each'
}

/** A recorded run, kept in a folder so that other processes can try its states. */
export interface Recording {
	folder: string
	node: Tree
	move: boolean
	sealedBefore: SnapshotId[]
}

/** Runs the command over a copy of the scene and writes down all that it changes; `recording.json` in the folder is the result. */
export async function record(scene: Scene, name: string, { from, engine, flush }: Recorded): Promise<Recording> {
	const folder = join(scene.folder, name)
	const [start, haven, log, state] = ['start', 'haven', 'log', 'state'].map((one) => join(folder, one)) as [
		string,
		string,
		string,
		string,
	]
	for (const path of [folder, start]) mkdirSync(path)
	const node = await linkTree(scene.node, join(folder, 'node'))
	const worked = await linkTree(scene.node, join(folder, 'worked'))
	if (from === 'yesterday') await cp(scene.yesterday, start, { recursive: true, preserveTimestamps: true })
	// The same inodes, so that what is recorded of them is understood.
	await cp(start, haven, { recursive: true, preserveTimestamps: true })
	const env = {
		NODE_OPTIONS: `--import=${join(import.meta.dirname, 'record-changes.mjs')}`,
		SNAPHAVEN_RECORD: [
			log,
			haven,
			worked.root,
			join(state, 'havens.json'),
			engine,
			flush === 'each' ? 'each' : '-',
		].join(' '),
		PATH: `${telltaleSync(folder, log)}:${process.env['PATH']}`,
	}
	const before = readDisk(haven)
	const args = ['sync', '--once', '--json', '-s', haven, ...worked.flags, ...scene.flags, node.keyspace]
	const { exitCode, stderr } = await runCli(args, { env, stateDirectory: state })
	if (exitCode !== 0) throw new Error(`the recorded run ended with ${exitCode}: ${stderr}`)
	writeFileSync(join(folder, 'start.json'), JSON.stringify(plainDisk(before)))
	const { records, end } = readRecording(folder)
	const untold = differencesOf(pathsOf(end), pathsOf(readDisk(haven)))
	if (untold.length > 0) throw new Error(`not all that was changed was recorded: ${untold.join(', ')}`)
	if (records.length === 0) throw new Error('nothing was recorded')
	const move = scene.flags.includes('--move-snapshots')
	const recording = { folder, node, move, sealedBefore: [...readState(start).sealed] }
	// It may be moved.
	writeFileSync(join(folder, 'recording.json'), JSON.stringify(recording).replaceAll(folder, 'FOLDER'))
	return recording
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
	const lines = readFileSync(join(folder, 'log'), 'utf8').split('\n').slice(0, -1)
	const records = lines.map((line) => JSON.parse(line) as ChangeRecord)
	return { start, records, ...changesOf(start, records) }
}

function plainDisk({ folders, files }: Disk) {
	return {
		folders: Array.from(folders, ([ino, names]) => [ino, [...names]]),
		files: Array.from(files, ([ino, bytes]) => [ino, bytes.toString('base64')]),
	}
}

/** What was known besides the disk after so many records. */
export function knownAfter(records: ChangeRecord[], count: number, sealedBefore: SnapshotId[]): Known {
	const known = {
		told: new Set<SnapshotId>(),
		gone: new Set<string>(),
		remembered: false,
		before: new Set(sealedBefore),
	}
	known.remembered = sealedBefore.length > 0
	for (const one of records.slice(0, count)) {
		if (one.did === 'gone') known.gone.add(one.path)
		if (one.did === 'remember') known.remembered = true
		for (const id of one.did === 'tell' ? toldIn(one.text) : []) known.told.add(id)
	}
	return known
}

function toldIn(text: string): SnapshotId[] {
	return text
		.split('\n')
		.filter((line) => line.startsWith('{"type":"sealed"'))
		.map((line) => JSON.parse(line))
		.map(({ keyspace, table, tag }) => `${keyspace}/${table}/${tag}`)
}

function differencesOf(one: Map<string, Buffer | undefined>, other: Map<string, Buffer | undefined>): string[] {
	const isSame = (path: string) =>
		one.has(path) && other.has(path) && (one.get(path)?.equals(other.get(path) ?? Buffer.alloc(0)) ?? !other.get(path))
	return [...new Set([...one.keys(), ...other.keys()])].filter((path) => !isSame(path))
}
