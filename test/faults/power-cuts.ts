import { closeSync, existsSync, fsyncSync, globSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import PQueue from 'p-queue'
import { type CliOptions, runCli, startCli } from '../support/cli.ts'
import { compareMirror, type SnapshotId } from '../support/mirrored.ts'
import { linkTree, type Tree } from '../support/tree.ts'
import type { Disk } from './disk.ts'
import { sample } from './failing.ts'
import { fingerprint, readState, snapshotIds, touched, unfinishedIn } from './promises.ts'

/** After the end of a pass: the disk's journal commits each second. */
const cutsAfterMs = [0, 300, 900]

/** The disk at one instant of a pass, and what had been made of it by then. */
interface Cut {
	image: string
	/** Snapshots that the pass had told to be sealed. */
	told: Set<SnapshotId>
	/** Snapshots that the pass had told to be removed from the haven. */
	removed: Set<SnapshotId>
	/** Snapshots of which the node no longer had every file. */
	gone: Set<SnapshotId>
}

export interface PassOptions {
	disk: Disk
	tree: Tree
	/** Names this pass's cuts. */
	name: string
	flags?: string[]
	/** How many of the cuts a new run has to make whole again; the others are read alone. */
	recoveries: number
	/** Pause between two cuts. */
	cutEveryMs: number
	/** How many of the cuts are looked at, chosen at random; those after the end of the pass always. */
	looks: number
	/**
	 * Before each cut, let the disk have all names, and the contents of receipts, as the system may write them at any
	 * time: then nothing but the pass's own flushes sees to it that other contents are there before them.
	 */
	namesFirst?: boolean
	/** How the pass itself is run, not the recoveries. */
	run?: CliOptions
}

export interface CutReport {
	cuts: number
	/** Cuts at which something was gathered or published, but not all. */
	midway: number
	recovered: number
	/** Each broken promise. */
	broken: string[]
}

/** Runs a pass, cuts the power at many instants of it, and looks at what each cut left. */
export async function passUnderPowerCuts(options: PassOptions): Promise<CutReport> {
	const { disk, tree } = options
	const haven = join(disk.path, 'haven')
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-cuts-'))
	try {
		const before = await linkTree(tree, join(own, 'before'))
		const taken = await cutWhileRunning(options, haven, join(own, 'state'))
		const chosen = new Set([...sample(taken, options.looks), ...taken.slice(-cutsAfterMs.length)])
		const cuts = taken.filter((cut) => chosen.has(cut))
		const report: CutReport = { cuts: cuts.length, midway: 0, recovered: 0, broken: [] }
		const queue = new PQueue({ concurrency: 2 })
		const stride = Math.max(1, cuts.length / options.recoveries)
		let next = 0
		const checks = cuts.map((cut, i) => {
			const recover = i >= next && options.recoveries > 0
			if (recover) next += stride
			return queue.add(() => look(cut, { ...options, before, own, report, recover }))
		})
		await Promise.all(checks)
		return report
	} finally {
		await rm(own, { recursive: true, force: true })
	}
}

async function cutWhileRunning(options: PassOptions, haven: string, stateDirectory: string): Promise<Cut[]> {
	const { disk, tree, name } = options
	const before = fingerprint(tree)
	const told = new Set<SnapshotId>()
	const removed = new Set<SnapshotId>()
	const run = startCli(syncArguments(tree, haven, options.flags), { ...options.run, stateDirectory })
	let output = ''
	run.stdout.on('data', (chunk) => {
		const lines = (output + chunk).split('\n')
		output = lines.pop() ?? ''
		for (const line of lines) {
			for (const snapshot of toldIn(line, 'sealed')) told.add(snapshot)
			for (const snapshot of toldIn(line, 'removed')) removed.add(snapshot)
		}
	})
	let ended = false
	const end = run.then((result) => {
		ended = true
		return result
	})
	const cuts: Cut[] = []
	const cut = async () => {
		if (options.namesFirst) writeNames(disk.path, haven)
		const known = { told: new Set(told), removed: new Set(removed), gone: touched(tree, before) }
		cuts.push({ image: await disk.cut(`${name}-${cuts.length}`), ...known })
	}
	while (!ended) {
		if (isBegun(haven)) await cut()
		await pause(options.cutEveryMs)
	}
	for (const ms of cutsAfterMs) {
		await pause(ms)
		await cut()
	}
	const { exitCode, stderr } = await end
	if (exitCode !== 0) throw new Error(`the pass ended with ${exitCode}: ${stderr}`)
	return cuts
}

interface LookOptions extends PassOptions {
	before: Tree
	own: string
	report: CutReport
	recover: boolean
}

async function look(cut: Cut, options: LookOptions): Promise<void> {
	const { disk, before, report, recover } = options
	const broken = await disk.withImage(cut.image, async (path) => {
		const haven = join(path, 'haven')
		const state = readState(haven)
		if (isBegun(haven) || state.inDoubt.size > 0) report.midway++
		const found = [...state.lies]
		for (const snapshot of cut.told) if (!state.sealed.has(snapshot)) found.push(`${snapshot} was told to be sealed`)
		for (const snapshot of cut.removed) if (state.sealed.has(snapshot)) found.push(`${snapshot} was told to be removed`)
		for (const snapshot of cut.gone) {
			const safe = state.sealed.has(snapshot) || state.inDoubt.has(snapshot)
			if (!safe) found.push(`${snapshot} was deleted on the node`)
		}
		found.push(...compareMirror(before, haven, (id) => cut.told.has(id)).differences)
		if (recover) found.push(...(await runAgain(haven, cut, options)))
		return found
	})
	report.broken.push(...broken.map((what) => `${cut.image.split('/').at(-1)}: ${what}`))
}

/** A new run over what the cut left, on a node that has what it had: all must be whole after it, and nothing left over. */
async function runAgain(haven: string, cut: Cut, { before, own, flags, report }: LookOptions): Promise<string[]> {
	const node = await linkTree(before, join(own, `node-${report.recovered++}`))
	for (const snapshot of cut.gone) {
		const [keyspace = '', folder = '', tag = ''] = snapshot.split('/')
		for (const directory of node.dataDirectories) {
			await rm(join(directory, keyspace, folder, 'snapshots', tag), { recursive: true, force: true })
		}
	}
	const { exitCode, stderr } = await runCli(syncArguments(node, haven, flags))
	if (exitCode !== 0) return [`the next run ended with ${exitCode}: ${stderr}`]
	if (/waiting up to/.test(stderr)) return [`the next run waited for a process that is dead: ${stderr}`]
	const after = [...unfinishedIn(haven, snapshotIds(before)), ...compareMirror(before, haven).differences]
	return after.map((what) => `after the next run: ${what}`)
}

function syncArguments(tree: Tree, haven: string, flags: string[] = []): string[] {
	return ['sync', '--once', '--json', '-s', haven, ...tree.flags, ...flags, tree.keyspace]
}

/** Whether a writer is at work, or was stopped at it. */
function isBegun(haven: string): boolean {
	const partial = join(haven, '.snaphaven/partial')
	return existsSync(partial) && readdirSync(partial).length > 0
}

function toldIn(line: string, type: 'sealed' | 'removed'): SnapshotId[] {
	const event = JSON.parse(line)
	if (event.type !== type) return []
	return [`${event.keyspace}/${event.table}/${event.tag}`]
}

/** A flush of any file makes ext4 commit its journal, with the names of all files, and leaves their contents in memory. */
function writeNames(disk: string, haven: string): void {
	const bystander = join(disk, 'bystander')
	writeFileSync(bystander, String(Math.random()))
	for (const file of [...receiptFiles(haven), bystander]) {
		try {
			const opened = openSync(file, 'r')
			fsyncSync(opened)
			closeSync(opened)
		} catch (error) {
			// A receipt that has just been removed.
			if (existsSync(file)) throw error
		}
	}
}

function receiptFiles(haven: string): string[] {
	return globSync(join(haven, '.snaphaven/receipts/*/*/*.json'))
}
